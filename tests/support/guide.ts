import { readFile } from 'node:fs/promises';
import { moveFromAws } from './on-aws.ts';

/** The SQL of docs/migrate-from-aws.md, in its order, with the names that the tests have for account and container. */
export async function statementsOfGuide(): Promise<string[]> {
  const guide = await readFile(new URL('../../docs/migrate-from-aws.md', import.meta.url), 'utf8');
  return [...guide.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql = '']) =>
    sql.replaceAll('CONTAINER', moveFromAws.container).replaceAll('ACCOUNT', 'account'),
  );
}
