/** A database in Azure, as whoever deploys sees it. */
export interface DeployedDatabase {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  /** The Entra administrator: a login role named like the person, group or application. */
  readonly user: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the command inherits: all else in the environment of a deployer could be read as a setting of the app. */
const inherited = new RegExp(
  `^(?:${[
    // To run at all, and to find who is signed in.
    'PATH|PATHEXT|COMSPEC|SYSTEMROOT|WINDIR|HOME|USERPROFILE|HOMEDRIVE|HOMEPATH|APPDATA|LOCALAPPDATA|PROGRAMDATA',
    'TMPDIR|TEMP|TMP|LANG|LC_ALL|TERM|NO_COLOR|FORCE_COLOR',
    // The way out.
    'HTTP_PROXY|HTTPS_PROXY|NO_PROXY|NODE_USE_ENV_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR',
    // Signing in: azd itself, which asks GitHub for a fresh token each time, and the credentials of @azure/identity.
    'AZD_\\w+|AZURE_CONFIG_DIR|ACTIONS_ID_TOKEN_REQUEST_URL|ACTIONS_ID_TOKEN_REQUEST_TOKEN',
    'AZURE_TOKEN_CREDENTIALS|AZURE_AUTHORITY_HOST|AZURE_TENANT_ID|AZURE_CLIENT_\\w+|AZURE_FEDERATED_TOKEN_FILE',
    'IDENTITY_ENDPOINT|IDENTITY_HEADER|MSI_ENDPOINT|MSI_SECRET',
  ].join('|')})$`,
  'i',
);

/**
 * Makes the environment in which the operator's command works on a deployed database and on no other.
 *
 * The address has no password: a token takes its place, and is sent over a verified connection only.
 *
 * @param from - the environment of whoever deploys
 * @param settings - further settings of the app that the command needs
 */
export function commandEnvironment(
  { host, port, name, user }: DeployedDatabase,
  from: Environment,
  settings: Readonly<Record<string, string>> = {},
): Record<string, string | undefined> {
  const url = `postgresql://${encodeURIComponent(user)}@${host}:${port}/${name}?sslmode=verify-full`;
  return {
    ...Object.fromEntries(Object.entries(from).filter(([key]) => inherited.test(key))),
    ...settings,
    DATABASE_URL: url,
    DATABASE_DIRECT_URL: url,
  };
}
