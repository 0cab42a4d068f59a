import { expect } from 'vitest';
import { createBulkSync, startBulkSync } from '../../src/bulk-syncs/index.ts';
import { createConnection } from '../../src/connections/index.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { type Kills, killAgainAndAgain } from './bulk-kills.ts';
import type { BulkHarness } from './bulk-syncs.ts';

/** Of each execution; `npm run chaos:bulk` is the long form. */
const kills = Number(process.env.TIDEMARK_TEST_KILLS ?? 2);

/** Milliseconds: for what hangs, not for what is slow. */
export const survivalTimeout = 300_000 + kills * 60_000;

/** Makes a connection of any type. Returns its id. */
export async function connectTo(harness: BulkHarness, type: string, configuration: JsonObject) {
  const { organizationId, actor } = harness;
  const request = { name: crypto.randomUUID(), type, configuration, validate: true };
  return (await createConnection(harness, organizationId, actor, request)).id;
}

export interface Survivor extends Omit<Kills, 'kills'> {
  /** Ids of connections. */
  from: string;
  to: string;
  configuration: JsonObject;
  /** Changes the source, and says how many rows it has. */
  change(round: number): Promise<number>;
  /** Compares content, and looks for what should not be there any more. */
  check(): Promise<void>;
}

/** Two executions of one sync, a full load and a merge, each given from one worker that is killed to the next. */
export async function survives(harness: BulkHarness, survivor: Survivor): Promise<void> {
  const { from, to, configuration, change, check } = survivor;
  const { organizationId, actor } = harness;
  const body = {
    name: crypto.randomUUID(),
    source_connection_id: from,
    destination_connection_id: to,
    destination_configuration: { ...configuration, advanced: { hard_deletes: true } },
    disable_record_timestamps: true,
  };
  let sync: { id: string } | undefined;
  for (const round of [0, 1]) {
    const rows = await change(round);
    sync ??= await createBulkSync(harness, organizationId, actor, body, 'either');
    const { id } = await startBulkSync(harness, organizationId, sync.id, {});
    await killAgainAndAgain(harness, id, { ...survivor, kills: kills - round });
    const { outcome, schemas } = await harness.run(id);
    expect(outcome).toEqual({ status: 'completed' });
    expect(schemas).toMatchObject([{ status: 'completed', record_count: rows }]);
    await check();
  }
}
