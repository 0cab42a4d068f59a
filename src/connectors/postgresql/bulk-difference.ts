import type { Client } from 'pg';
import type { BulkOutput, Committed, LoadPlan } from '../contract.ts';
import { columnsOf } from './bulk-evolve.ts';
import type { LiveTable } from './bulk-live.ts';
import { outputKey, qualified, refuse } from './bulk-names.ts';
import { identifier, literal } from './quote.ts';
import { ask } from './transaction.ts';

/** Rows of the live table. */
export type Changed = Pick<Committed, 'inserted' | 'updated' | 'deleted'>;

/**
 * Writes the rows that are new or other than the live ones, and no other. They are compared as they are stored
 * (`*<>`), so that types without equality (json, xml) count and so does another scale of an equal number.
 * Removing comes first: a row may take over the value of a unique column from one that is gone.
 */
export async function writeDifference(
  client: Client,
  output: BulkOutput,
  live: LiveTable,
  stage: string,
  missing: LoadPlan['missing'],
): Promise<Changed> {
  await checkKeyed(client, output, live);
  const table = qualified(output);
  const { targets, values, pairs, key, now } = await assignments(client, output);
  const synced = output.syncedAt === undefined ? [] : [`${identifier(output.syncedAt)} = ${now}`];
  const mark = output.deletedAt === undefined ? undefined : identifier(output.deletedAt);
  const run = async (statement: string) => (await client.query(statement)).rowCount ?? 0;

  const isMissing = `not exists (select from ${stage} s where ${key})`;
  let deleted = 0;
  if (missing === 'remove') deleted = await run(`delete from ${table} l where ${isMissing}`);
  if (missing === 'mark') {
    if (mark === undefined) throw new Error('rows are to be marked as deleted in a column without a name');
    const set = [`${mark} = ${now}`, ...synced].join(', ');
    deleted = await run(`update ${table} l set ${set} where l.${mark} is null and ${isMissing}`);
  }
  const set = [...pairs.map(({ column, value }) => `${column} = ${value}`), ...synced];
  const there = pairs.map(({ column }) => `l.${column}`).join(', ');
  const come = pairs.map(({ value }) => value).join(', ');
  const differs = [`row(${there})::record *<> row(${come})::record`];
  if (mark !== undefined) {
    set.push(`${mark} = null`);
    differs.push(`l.${mark} is not null`);
  }
  const updated = await run(
    `update ${table} l set ${set.join(', ')} from ${stage} s where ${key} and (${differs.join(' or ')})`,
  );
  const inserted = await run(
    `insert into ${table} (${targets}) select ${values} from ${stage} s
     where not exists (select from ${table} l where ${key})`,
  );
  return { inserted, updated, deleted };
}

/**
 * What a staged row (`s`) gives each column of the live table (`l`), in the live column's type. `targets` and
 * `values` go into an INSERT; `pairs` are the source's columns alone; `key` is how rows find each other; `now` is
 * when all of them are written.
 */
export async function assignments(client: Client, output: BulkOutput) {
  const live = await columnsOf(client, qualified(output));
  const staged = (name: string) => `s.${identifier(name)}::${live.get(name)?.type}`;
  const pairs = output.columns.map(({ outputName }) => ({
    column: identifier(outputName),
    value: staged(outputName),
  }));
  const { rows } = await ask<{ now: string }>(client, 'select clock_timestamp()::text as now');
  const now = `timestamptz ${literal(rows[0]?.now ?? '')}`;
  const all = [...pairs];
  if (output.syncedAt !== undefined) all.push({ column: identifier(output.syncedAt), value: now });
  const key = outputKey(output)
    .map((name) => `l.${identifier(name)} = ${staged(name)}${live.get(name)?.collate ?? ''}`)
    .join(' and ');
  return {
    targets: all.map(({ column }) => column).join(', '),
    values: all.map(({ value }) => value).join(', '),
    pairs,
    key,
    now,
  };
}

/** Without a unique key one staged row might stand for several live ones. */
async function checkKeyed(client: Client, output: BulkOutput, live: LiveTable): Promise<void> {
  const key = outputKey(output);
  const name = `${output.schema}.${output.name}`;
  if (key.length === 0) refuse(`${name} has no key that its rows could be told apart by`);
  const { rowCount } = await ask(
    client,
    `select from pg_index i where i.indrelid = $1 and i.indisunique and i.indisvalid and i.indimmediate
       and i.indpred is null and i.indexprs is null
       and $2::name[] = array(select a.attname from pg_attribute a where a.attrelid = i.indrelid
         and a.attnum = any((i.indkey::int2[])[0:i.indnkeyatts - 1]) order by a.attname)`,
    [live.oid, key.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))],
  );
  if (rowCount === 0) {
    refuse(`${name} has no unique index on its key (${key.join(', ')}): run it with resync_mode rebuild`);
  }
}
