import { createHash } from 'node:crypto';
import type { FixedExpression } from '../conditions/index.ts';
import type { BulkRange, BulkTable, LoadPlan } from '../connectors/index.ts';
import type { Json, JsonObject } from '../lib/json.ts';

/**
 * How a table that is read in ranges is read, as it was settled when its load began: kept in
 * bulk_schema_executions, so that a run that takes over reads the same ranges and commits the same position.
 */
export interface TablePlan {
  ranges: BulkRange[];
  load: Pick<LoadPlan, 'mode' | 'missing' | 'truncate'>;
  position: JsonObject;
  why: string;
  /** As it was at the start: an edit of the sync changes its next execution. */
  filter?: FixedExpression;
  /** Digest of the columns and facts: ranges that were stored of another table or with other columns are of no use. */
  columns: string;
}

export function digestColumns({ columns, primaryKey, facts = {} }: BulkTable): string {
  const shape = columns.map(({ name, outputName, type, version, obfuscated }) => [
    name,
    outputName,
    type,
    version,
    obfuscated,
  ]);
  return createHash('sha256')
    .update(JSON.stringify([shape, primaryKey, facts]))
    .digest('hex')
    .slice(0, 32);
}

/** The plan of the run before this one, if it still fits the table. */
export function keptPlan(stored: Json, table: BulkTable): TablePlan | undefined {
  if (stored === null) return undefined;
  // The cast undoes what prepare-table.ts stored.
  const plan = stored as unknown as TablePlan;
  return plan.columns === digestColumns(table) ? plan : undefined;
}
