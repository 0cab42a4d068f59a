import { createHash } from 'node:crypto';
import pg, { type Client } from 'pg';
import type { BulkOutput, BulkTarget, LoadPlan } from '../contract.ts';
import { declaredType } from './bulk-declared-type.ts';
import { list, outputKey, ownColumns, qualified, refuse } from './bulk-names.ts';
import { identifier } from './quote.ts';
import { ask } from './transaction.ts';

/** Where the rows are until they are live. Named as it stands in statements. */
export const temporaryStage = 'pg_temp.tidemark_stage';

/** For a merge: nobody else sees it, it writes no WAL, and it goes with the transaction. */
export async function createTemporaryStage(client: Client, output: BulkOutput): Promise<void> {
  await client.query(`create temp table tidemark_stage (${definitions(output)}) on commit drop`);
}

/** The name of an execution's table beside the live one. */
export function sideName({ name }: BulkTarget, { executionId }: LoadPlan): string {
  return `_tidemark_${createHash('sha256').update(`${executionId} ${name}`).digest('hex').slice(0, 16)}`;
}

/** Beside the live table, to take its place. */
export async function createSide(client: Client, output: BulkOutput, name: string): Promise<string> {
  const side = qualified({ schema: output.schema, name });
  await client.query(`drop table if exists ${side}`);
  await client.query(`create table ${side} (${definitions(output)})`);
  return side;
}

/** NOT NULL from the start: adding the primary key would read the whole table once more to check it. */
function definitions(output: BulkOutput): string {
  const { columns, primaryKey } = output;
  const own = ownColumns(output);
  const taken = columns.find(({ outputName }) => own.includes(outputName));
  if (taken !== undefined) {
    refuse(
      `${taken.outputName} is a column of the source and one of Tidemark's own: set advanced.record_column_prefix, or another output name`,
    );
  }
  return columns
    .map(({ name, outputName, type }) => {
      const notNull = primaryKey.includes(name) ? ' not null' : '';
      return `${identifier(outputName)} ${declaredType(outputName, type)}${notNull}`;
    })
    .join(', ');
}

/** Builds the primary key over the rows that have come. @throws unprocessable when two rows have the same. */
export async function addKey(client: Client, output: BulkOutput, table: string): Promise<void> {
  if (output.primaryKey.length === 0) return;
  // Sorting in memory halves the build; the setting goes with the transaction.
  await raise(client, 'maintenance_work_mem', '256MB');
  try {
    await client.query(`alter table ${table} add primary key (${list(outputKey(output))})`);
  } catch (error) {
    throw keyProblem(error, output);
  }
}

/** Says of a NULL or a repeated value in the key what it means for the table; other errors are given back. */
export function keyProblem(error: unknown, output: BulkOutput): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  const key = outputKey(output).join(', ');
  const remedy = 'set another primary key for the schema, or none to replace the table each time';
  try {
    if (error.code === '23505') {
      refuse(`The key (${key}) of ${output.schema}.${output.name} has a value twice: ${remedy}`, error);
    }
    if (error.code === '23502' && error.column !== undefined && outputKey(output).includes(error.column)) {
      refuse(
        `${error.column}, in the key (${key}) of ${output.schema}.${output.name}, is NULL in some row: ${remedy}`,
        error,
      );
    }
  } catch (refusal) {
    return refusal;
  }
  return error;
}

/** Gives the transaction more of a server setting that is an amount of memory, if it has less. */
export async function raise(client: Client, setting: string, amount: string): Promise<void> {
  await ask(
    client,
    `select set_config($1, $2, true) where pg_size_bytes(current_setting($1)) < pg_size_bytes($2)`,
    [setting, amount],
  );
}
