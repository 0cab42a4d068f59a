import { sql } from 'kysely';
import type { Transaction } from '../db/index.ts';
import type { BulkSync, SelectedSchema } from './bulk-sync.ts';
import { namingOf, outputNames } from './output-names.ts';
import { saveOutputs } from './selected-schemas.ts';

/**
 * Adds schemas to an execution and settles where each goes: editing the sync changes its next execution.
 *
 * @param all every schema of the sync, enabled or not: names depend on all of them.
 */
export async function insertSchemaExecutions(
  tx: Transaction,
  executionId: string,
  sync: BulkSync,
  all: readonly SelectedSchema[],
  chosen: readonly SelectedSchema[],
): Promise<void> {
  const names = outputNames(sync, all);
  const given = all.flatMap((one) => {
    const output = names.get(one.id);
    return output === undefined ? [] : [{ id: one.id, ...output, naming: namingOf(sync, one) }];
  });
  const ids = new Set(chosen.map(({ id }) => id));
  const rows = given.filter(({ id }) => ids.has(id)).map(({ id, schema, name }) => ({ id, schema, name }));
  await sql`
    insert into bulk_schema_executions (execution_id, schema_id, output_schema, output_name, status)
    select ${executionId}::uuid, id, schema, name, 'created'
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row (id text, schema text, name text)
    on conflict do nothing
  `.execute(tx);
  await saveOutputs(tx, sync.id, given);
}
