import type pg from 'pg';
import type { IndexedQuery } from './indexed-queries.ts';

/** What EXPLAIN (ANALYZE, BUFFERS) says of one run of a query. */
export interface Plan {
  /** Names of the indexes it went through. */
  readonly indexes: readonly string[];
  /** The kinds of its scans, as PostgreSQL calls them. */
  readonly scans: readonly string[];
  readonly milliseconds: number;
  /** Pages of 8 KiB it touched, in memory or not. */
  readonly pages: number;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

/** Runs a query, and tells how. */
export async function explain(sql: pg.Client, { text, values }: IndexedQuery): Promise<Plan> {
  const { rows } = await sql.query(`explain (analyze, buffers, format json) ${text}`, [...values]);
  const [{ Plan: root, 'Execution Time': milliseconds }] = rows[0]['QUERY PLAN'];
  const nodes = nodesOf(root);
  return {
    indexes: nodes.flatMap((node) => node['Index Name'] ?? []),
    scans: nodes.map((node) => node['Node Type']).filter((type) => type.includes('Scan')),
    milliseconds,
    pages: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
  };
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
