import { loadDatabaseSettings } from '../lib/config/index.ts';
import { type DatabaseAddress, parseDatabaseUrl } from '../lib/database/index.ts';
import { createAzureIdentity, databaseToken } from '../lib/security/index.ts';

/** The database without a pooler between, as whoever runs the command; no other setting is needed. */
export function deployerAddress(
  {
    DATABASE_DIRECT_URL,
    AZURE_CLIENT_ID,
  }: {
    DATABASE_DIRECT_URL: string;
    AZURE_CLIENT_ID?: string | undefined;
  } = loadDatabaseSettings(),
): DatabaseAddress {
  const identity = createAzureIdentity(AZURE_CLIENT_ID);
  return parseDatabaseUrl(DATABASE_DIRECT_URL, () => databaseToken(identity));
}
