import type { Client } from 'pg';
import type { BulkOutput, BulkTarget, LoadPlan } from '../contract.ts';
import { qualified, refuse } from './bulk-names.ts';
import { createSide, sideName } from './bulk-stage.ts';
import { stateOf } from './bulk-state.ts';
import { tryTurn } from './bulk-turn.ts';
import { ask, begin } from './transaction.ts';

/** Days after which a load that nobody goes on with is removed, so that its rows do not stay for ever. */
const forsakenAfter = 7;

/**
 * A load in ranges, as it stands in the state table: whoever wrote its token last has it. The entry is locked with
 * each range that is stored and with the commit, so that a worker that was thought dead stores and commits nothing.
 */
export interface Claim {
  token: string;
  /** The table beside the live one. */
  side: string;
  /** Rows of each range that is stored. */
  stored: Map<string, number>;
}

interface LoadEntry {
  executionId: string;
  token: string;
  side: string;
  shape: string;
  started: string;
}

const isLoad = `(entry = 'load' or entry like 'range %')`;

/** Takes over the load of the same execution, if there is one for the same rows, or begins it anew. */
export async function claimLoad(client: Client, output: BulkOutput, plan: LoadPlan): Promise<Claim> {
  const state = stateOf(output.schema);
  const token = crypto.randomUUID();
  const shape = JSON.stringify([
    output.columns,
    output.primaryKey,
    plan.mode,
    plan.truncate,
    output.facts ?? null,
  ]);
  await begin(client, 'write');
  const { rows } = await ask<{ value: LoadEntry; there: boolean }>(
    client,
    `select value, relation = to_regclass(format('%I.%I', $2::text, value->>'side')) as there
     from ${state} where name = $1 and entry = 'load' for update`,
    [output.name, output.schema],
  );
  const [found] = rows;
  const { executionId } = plan;
  let side = sideName(output, plan);
  if (found?.there && found.value.executionId === executionId && found.value.shape === shape) {
    side = found.value.side;
    await ask(
      client,
      `update ${state} set value = jsonb_set(value, '{token}', to_jsonb($2::text)) where name = $1 and entry = 'load'`,
      [output.name, token],
    );
  } else {
    await dropLoads(client, output);
    const table = await createSide(client, output, side);
    const entry: LoadEntry = { executionId, token, side, shape, started: new Date().toISOString() };
    await ask(
      client,
      `insert into ${state} (name, entry, relation, value) values ($1, 'load', to_regclass($2), $3)`,
      [output.name, table, JSON.stringify(entry)],
    );
  }
  const stored = await storedRanges(client, output);
  await client.query('commit');
  return { token, side, stored };
}

export async function storedRanges(
  client: Client,
  { schema, name }: BulkTarget,
): Promise<Map<string, number>> {
  const { rows } = await ask<{ id: string; rows: string }>(
    client,
    `select substr(entry, 7) as id, value::text as rows from ${stateOf(schema)}
     where name = $1 and entry like 'range %'`,
    [name],
  );
  return new Map(rows.map(({ id, rows: count }) => [id, Number(count)]));
}

/** Within the transaction that writes the rows. @throws unprocessable when another worker has taken over. */
export async function storeRange(
  client: Client,
  target: BulkTarget,
  { token }: Claim,
  id: string,
  rows: number,
): Promise<void> {
  const state = stateOf(target.schema);
  const { rowCount } = await ask(
    client,
    `insert into ${state} (name, entry, value) select name, $3, $4::jsonb from ${state}
     where name = $1 and entry = 'load' and value->>'token' = $2 for share`,
    [target.name, token, `range ${id}`, rows],
  );
  if (rowCount === 0) takenOver(target);
}

/** Within the transaction that makes the rows live or drops them. @returns false when another worker has taken over. */
export async function endClaim(
  client: Client,
  { schema, name }: BulkTarget,
  token: string,
): Promise<boolean> {
  const state = stateOf(schema);
  const { rowCount } = await ask(
    client,
    `delete from ${state} where name = $1 and entry = 'load' and value->>'token' = $2`,
    [name, token],
  );
  if (rowCount === 0) return false;
  await ask(client, `delete from ${state} where name = $1 and ${isLoad}`, [name]);
  return true;
}

export function takenOver({ schema, name }: BulkTarget): never {
  refuse(`The load of ${schema}.${name} was taken over by another worker`);
}

/** Removes what loads of this table in ranges have left. It must be our turn. @returns whether there was anything. */
export async function dropLoads(client: Client, { schema, name }: BulkTarget): Promise<boolean> {
  const state = stateOf(schema);
  const { rows } = await ask<{ side: string }>(
    client,
    `select value->>'side' as side from ${state} where name = $1 and entry = 'load'`,
    [name],
  );
  for (const { side } of rows)
    await client.query(`drop table if exists ${qualified({ schema, name: side })}`);
  const { rowCount } = await ask(client, `delete from ${state} where name = $1 and ${isLoad}`, [name]);
  return rowCount !== 0;
}

/** Removes loads of other tables that nobody went on with, each in a transaction. */
export async function dropForsaken(client: Client, schema: string): Promise<void> {
  await begin(client, 'write');
  const { rows } = await ask<{ name: string }>(
    client,
    `select name from ${stateOf(schema)} where entry = 'load' and (value->>'started')::timestamptz < now() - make_interval(days => $1)`,
    [forsakenAfter],
  );
  await client.query('commit');
  for (const { name } of rows) {
    const target = { schema, name };
    await begin(client, 'write');
    if (await tryTurn(client, target)) await dropLoads(client, target);
    await client.query('commit');
  }
}
