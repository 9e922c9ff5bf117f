import type { Deployment } from '../reading/bicep/deployment.ts';
import { at, textOf } from '../reading/bicep/values.ts';
import { appSettings } from './infra-settings.ts';

/** https://learn.microsoft.com/azure/postgresql/configure-maintain/concepts-limits: maximum user connections by product. */
const userConnections: Readonly<Record<string, number>> = { Standard_B2s: 414, Standard_D2ds_v5: 844 };

/** Memory in MB, https://learn.microsoft.com/azure/postgresql/configure-maintain/concepts-limits. */
const serverMemoryMb: Readonly<Record<string, number>> = { Standard_B2s: 4_096, Standard_D2ds_v5: 8_192 };
/** What PostgreSQL keeps of it for `shared_buffers`, by default of the service. */
const bufferShare = 0.25;
/** https://techcommunity.microsoft.com/t5/azure-database-for-postgresql/not-all-postgres-connection-pooling-is-equal/ba-p/825717 */
const memoryOfConnectionMb = 10;

/** The lock on a timer lets one instance run; another may come up beside it while the first is being replaced. */
const instancesOfTimer = 2;
/** Beside the pools: a dump and its verification, of which one at a time is running in the whole app. */
const connectionsOfBackup = 2;
/** Roles, migrations and a person who looks after something. */
const connectionsOfDeployers = 5;

/** How many functions there are of each kind that scales on its own; all HTTP functions are one group. */
export interface FunctionCounts {
  readonly queues: number;
  readonly timers: number;
}

/** Connections at the worst, and what the server allows. */
export interface ConnectionBudget {
  readonly instances: number;
  /** To PostgreSQL itself. */
  readonly server: { readonly used: number; readonly allowed: number };
  /** To PgBouncer, where there is one. */
  readonly pooler?: { readonly used: number; readonly allowed: number };
  /** Memory of the server in MB: its buffers and every connection, even when it is idle. */
  readonly serverMemoryMb: { readonly used: number; readonly allowed: number };
  /** Memory of all instances in MB; a subscription has a limit for each region. */
  readonly memoryMb: number;
}

/** Adds up what all instances together can open. Pool sizes and instances come from the templates. */
export function connectionBudget(deployment: Deployment, counts: FunctionCounts): ConnectionBudget {
  const settings = appSettings(deployment);
  const scale = at(
    deployment.resources.find(({ type }) => type === 'Microsoft.Web/sites')?.body,
    'properties.functionAppConfig.scaleAndConcurrency',
  );
  const most = Number(at(scale, 'maximumInstanceCount'));
  const instances = most + counts.queues * most + counts.timers * instancesOfTimer;
  const app = instances * Number(settings['DATABASE_POOL_SIZE']);
  const direct = instances * Number(settings['DATABASE_DIRECT_POOL_SIZE']);
  const own = direct + connectionsOfBackup + connectionsOfDeployers;
  const pooler = poolerOf(deployment, textOf(settings['DATABASE_URL']));
  const server = deployment.resources.find(
    ({ type }) => type === 'Microsoft.DBforPostgreSQL/flexibleServers',
  );
  const size = textOf(at(server?.body, 'sku.name'));
  const [allowed, memory] = [userConnections[size], serverMemoryMb[size]];
  if (allowed === undefined || memory === undefined)
    throw new Error('how many connections this size of server allows is not listed');
  const used = own + (pooler ? pooler.poolSize : app);
  return {
    instances,
    server: { used, allowed },
    serverMemoryMb: { used: memory * bufferShare + used * memoryOfConnectionMb, allowed: memory },
    ...(pooler && { pooler: { used: app, allowed: pooler.clients } }),
    memoryMb: instances * Number(at(scale, 'instanceMemoryMB')),
  };
}

/** One pool: a single user of a single database comes through the pooler. */
function poolerOf({ resources }: Deployment, url: string) {
  const parameter = (name: string) =>
    at(resources.find((resource) => resource.name === `pgbouncer.${name}`)?.body, 'properties.value');
  const isOn = parameter('enabled') === 'true';
  const isUsed = new URL(url).port === '6432';
  if (isOn !== isUsed) throw new Error(`PgBouncer is ${isOn ? 'on and not' : 'off and'} used`);
  return isOn
    ? { poolSize: Number(parameter('default_pool_size')), clients: Number(parameter('max_client_conn')) }
    : undefined;
}
