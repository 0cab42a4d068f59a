import pg, { type Client } from 'pg';
import type { BulkOutput } from '../contract.ts';
import { ownColumns, qualified, refuse } from './bulk-names.ts';
import type { CommittedState } from './bulk-state.ts';
import { holds } from './bulk-widening.ts';
import { identifier } from './quote.ts';
import { ask } from './transaction.ts';

export interface Column {
  name: string;
  type: string;
  /** ` collate …`, where the type has collations. */
  collate: string;
}

/** What the live table lacks to take the staged rows. */
export interface Evolution {
  added: Column[];
  widened: { name: string; from: string; to: string }[];
  /** Tidemark's own columns that are not there yet. */
  own: string[];
  /** Columns that came from the source so far and do not any more. */
  dropped: string[];
}

/** @throws unprocessable when a column's type holds neither all values it has nor all that come. */
export async function compare(
  client: Client,
  output: BulkOutput,
  stage: string,
  state: CommittedState | undefined,
): Promise<Evolution> {
  const table = `${output.schema}.${output.name}`;
  const [there, wanted] = [await columnsOf(client, qualified(output)), await columnsOf(client, stage)];
  const evolution: Evolution = { added: [], widened: [], own: [], dropped: [] };
  const refusals: string[] = [];
  for (const column of wanted.values()) {
    const { name, type: to } = column;
    const from = there.get(name)?.type;
    if (from === undefined) evolution.added.push(column);
    else if (holds(from, to)) continue;
    else if (holds(to, from)) evolution.widened.push({ name, from, to });
    else refusals.push(`column ${name} is ${from} in ${table} and ${to} in the source`);
  }
  if (refusals.length > 0) {
    refuse(
      `${refusals.join('; ')}, and neither type holds every value of the other: run it with resync_mode rebuild`,
    );
  }
  evolution.own = ownColumns(output).filter((name) => !there.has(name));
  evolution.dropped = (state?.columns ?? []).filter((name) => there.has(name) && !wanted.has(name));
  return evolution;
}

/** Whether readers have to be locked out for it. */
export function alters({ added, widened, own }: Evolution): boolean {
  return added.length + widened.length + own.length > 0;
}

/** @returns what changed, for people. */
export async function evolve(client: Client, output: BulkOutput, evolution: Evolution): Promise<string[]> {
  const { added, widened, own, dropped } = evolution;
  const actions = [
    ...added.map(({ name, type, collate }) => `add column ${identifier(name)} ${type}${collate}`),
    ...own.map((name) => `add column ${identifier(name)} timestamptz`),
    ...widened.map(({ name, to }) => `alter column ${identifier(name)} type ${to}`),
  ];
  const changes = [
    ...added.map(({ name, type }) => `column ${name} added as ${type}`),
    ...widened.map(({ name, from, to }) => `column ${name} widened from ${from} to ${to}`),
    ...dropped.map((name) => `column ${name} is not in the source any more: it stays, empty in new rows`),
  ];
  if (actions.length === 0) return changes;
  try {
    await client.query(`alter table ${qualified(output)} ${actions.join(', ')}`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== '0A000') throw error;
    // A view shows the column; which one is in the detail.
    const reason = [error.message, error.detail].filter((text) => text !== undefined).join(': ');
    refuse(`${changes[added.length]} is what ${output.schema}.${output.name} needs, but ${reason}`, error);
  }
  return changes;
}

/** Columns by name, in order. */
export async function columnsOf(client: Client, table: string): Promise<Map<string, Column>> {
  const { rows } = await ask<Column>(
    client,
    `select attname as name, format_type(atttypid, atttypmod) as type,
       case when attcollation = 0 then '' else ' collate ' || attcollation::regcollation::text end as collate
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [table],
  );
  return new Map(rows.map((column) => [column.name, column]));
}
