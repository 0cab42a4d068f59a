import type { BulkOutput, BulkTarget } from '../contract.ts';
import { type Engine, literal, type ReadColumn } from '../duckdb-engine/index.ts';
import { refuse, sameName } from './bulk-names.ts';
import { columnsOf, listRelations, originOf, type Relation } from './relations.ts';

/** What stands under the output's name in the file. */
export interface LiveTable extends Relation {
  columns: ReadColumn[];
  comment: string | null;
  /** Tables with foreign keys to it. */
  referrers: string[];
}

export async function findLive(engine: Engine, target: BulkTarget): Promise<LiveTable | undefined> {
  const relation = (await listRelations(engine)).find(
    ({ schema, name }) => sameName(schema, target.schema) && sameName(name, target.name),
  );
  if (relation === undefined) return undefined;
  const [schema, name] = [literal(relation.schema), literal(relation.name)];
  const [table] = await engine.query<{ comment: string | null }>(
    `select comment from duckdb_tables() where database_name = current_database()
     and schema_name = ${schema} and table_name = ${name}`,
  );
  const referrers = await engine.query<{ id: string }>(
    `select distinct schema_name || '.' || table_name as id from duckdb_constraints()
     where database_name = current_database() and constraint_type = 'FOREIGN KEY'
       and schema_name = ${schema} and referenced_table = ${name} order by 1`,
  );
  return {
    ...relation,
    columns: await columnsOf(engine, relation),
    comment: table?.comment ?? null,
    referrers: referrers.map(({ id }) => id),
  };
}

/** Whether rows of the live table can be written: it is a table, and not the source itself. */
export function checkWritable(live: LiveTable, output: BulkOutput, file: string): void {
  if (originOf(file, live) === output.origin) {
    refuse(
      `${live.id} in the destination is the source table itself: choose another schema or a table prefix`,
    );
  }
  if (live.kind !== 'table') refuse(`${live.id} exists in the destination and is not a table`);
}

/** Whether the live table can be dropped. */
export function checkReplaceable(live: LiveTable): void {
  if (live.referrers.length === 0) return;
  refuse(
    `${live.id} cannot be replaced because ${live.referrers.join(', ')} depends on it: drop it, or set advanced.truncate_existing`,
  );
}
