import type { Client } from 'pg';
import type { JsonObject } from '../../lib/json.ts';
import type { BulkOutput, BulkTarget } from '../contract.ts';
import { qualified } from './bulk-names.ts';
import { beginAlone } from './bulk-turn.ts';
import { identifier } from './quote.ts';
import { ask, begin } from './transaction.ts';

/** What Tidemark knows of the tables of a namespace, beside them: it goes wherever they are copied or restored. */
const tableName = '_tidemark_state';

/** What was committed with the rows of a table. */
export interface CommittedState {
  position: JsonObject;
  /** Its columns as the source had them, by their names here. */
  columns: string[];
}

/**
 * Creates the namespace and its state table where they are missing. Tables of a run do so at the same moment, and
 * IF NOT EXISTS fails then in more ways than one (23505, 42P06, 42P07, 42710): they take turns.
 */
export async function ensureState(client: Client, schema: string): Promise<void> {
  await begin(client, 'write');
  const there = await hasState(client, schema);
  await client.query('commit');
  if (there) return;
  await beginAlone(client, { schema, name: tableName });
  const namespace = await ask(client, 'select from pg_namespace where nspname = $1', [schema]);
  // CREATE … IF NOT EXISTS asks for the right to create even when there is nothing to do.
  if (namespace.rowCount === 0) await client.query(`create schema if not exists ${identifier(schema)}`);
  // The regclass is an oid while the table lives and a name in a dump: a table that was dropped and recreated is
  // not taken for the old one, one that was restored is.
  await client.query(
    `create table if not exists ${stateOf(schema)}
     (name text, entry text, relation regclass, value jsonb not null, primary key (name, entry))`,
  );
  await client.query('commit');
}

export async function readState(client: Client, target: BulkTarget): Promise<CommittedState | undefined> {
  if (!(await hasState(client, target.schema))) return undefined;
  const { rows } = await ask<{ value: CommittedState }>(
    client,
    `select value from ${stateOf(target.schema)}
     where name = $1 and entry = 'position' and relation = to_regclass($2)`,
    [target.name, qualified(target)],
  );
  return rows[0]?.value;
}

/** In the transaction that makes the rows live. */
export async function writeState(client: Client, output: BulkOutput, position: JsonObject): Promise<void> {
  const state: CommittedState = { position, columns: output.columns.map(({ outputName }) => outputName) };
  await ask(
    client,
    `insert into ${stateOf(output.schema)} (name, entry, relation, value) values ($1, 'position', to_regclass($2), $3)
     on conflict (name, entry) do update set relation = excluded.relation, value = excluded.value`,
    [output.name, qualified(output), JSON.stringify(state)],
  );
}

async function hasState(client: Client, schema: string): Promise<boolean> {
  const { rows } = await ask<{ there: boolean }>(client, 'select to_regclass($1) is not null as there', [
    stateOf(schema),
  ]);
  return rows[0]?.there === true;
}

export function stateOf(schema: string): string {
  return qualified({ schema, name: tableName });
}
