import type { Client } from 'pg';
import type { BulkOutput, BulkTarget, LoadPlan, Standing } from '../contract.ts';
import { checkStranger } from '../strangers.ts';
import { findLive } from './bulk-live.ts';
import { readState } from './bulk-state.ts';

const kinds: Record<string, string> = {
  r: 'a table',
  p: 'a partitioned table',
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
};

/** What stands under a name. Whatever Tidemark has put there has an entry of its own, by its oid. */
export async function findStanding(client: Client, target: BulkTarget): Promise<Standing | undefined> {
  const state = await readState(client, target);
  if (state !== undefined) return { position: state.position };
  const live = await findLive(client, target);
  if (live === undefined) return undefined;
  return { stranger: `it is ${kinds[live.kind] ?? 'a relation'} of somebody else's`, origin: live.origin };
}

/** @throws not_ours */
export async function checkStanding(client: Client, output: BulkOutput, plan: LoadPlan): Promise<void> {
  checkStranger(output, plan, (await findStanding(client, output))?.stranger);
}
