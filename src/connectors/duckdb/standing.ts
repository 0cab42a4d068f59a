import type { BulkTarget, Standing } from '../contract.ts';
import type { Engine } from '../duckdb-engine/index.ts';
import { findLive } from './live-table.ts';
import { originOf } from './relations.ts';
import { readState } from './state.ts';

/** What stands under a name. What Tidemark has put there carries a mark in its comment. */
export async function findStanding(
  engine: Engine,
  target: BulkTarget,
  file: string,
): Promise<Standing | undefined> {
  const state = await readState(engine, target);
  if (state !== undefined) return { position: state.position };
  const live = await findLive(engine, target);
  if (live === undefined) return undefined;
  return { stranger: `it is a ${live.kind} of somebody else's`, origin: originOf(file, live) };
}
