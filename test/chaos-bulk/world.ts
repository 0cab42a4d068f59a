import { setTimeout as pause } from 'node:timers/promises';
import { createBulkSync, startBulkSync } from '../../src/bulk-syncs/index.ts';
import type { BulkSyncRequest } from '../../src/schema/bulk-sync.ts';
import { connectTo } from '../support/bulk-survival.ts';
import { type BulkHarness, beginRun } from '../support/bulk-syncs.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { differences, sourceRows } from './compare.ts';
import { type Destination, type Kind, makeDestination } from './destinations.ts';
import { type Dice, dice } from './dice.ts';
import { unsettle } from './sessions.ts';
import { changeTable, createSql, draftTable, type SourceTable } from './source-table.ts';

export interface Report {
  runs: number;
  completed: number;
  failed: number;
  /** What must not be: the seed, what was done, what differs. */
  broken: string[];
}

interface World {
  harness: BulkHarness;
  dice: Dice;
  source: TestDatabase;
  destination: Destination;
  table: SourceTable;
  syncId: string;
  /** What was done so far. */
  story: string[];
}

/** One sync through a few executions, with everything in between that the seed says. */
export async function playWorld(
  harness: BulkHarness,
  seed: number,
  kind: Kind,
  report: Report,
): Promise<void> {
  const dies = dice(seed);
  await using source = await createDatabase();
  await using destination = await makeDestination[kind](harness);
  const table = draftTable(dies, kind === 'postgresql');
  await source.query(
    `${createSql(table)}; insert into t (id, at) select n, null from generate_series(9000001, 9000004) n`,
  );
  const story = [`seed ${seed}, ${kind}`];
  if (dies.chance(0.3)) story.push(await unsettle(source, dies));
  const syncId = await makeSync({ harness, dice: dies, source, destination, table, story });
  const world: World = { harness, dice: dies, source, destination, table, syncId, story };
  try {
    for (let round = 3 + dies.below(4); round > 0; round--) await playRound(world, report);
  } catch (error) {
    report.broken.push(`${story.join('; ')}: ${error instanceof Error ? error.stack : error}`);
  }
}

async function makeSync({
  harness,
  dice: dies,
  source,
  destination,
  story,
}: Omit<World, 'syncId'>): Promise<string> {
  const { organizationId, actor } = harness;
  const { type, configuration, schema } = destination;
  const request: BulkSyncRequest = {
    name: crypto.randomUUID(),
    mode: dies.chance(0.15) ? 'snapshot' : 'replicate',
    source_connection_id: await harness.connect(source),
    destination_connection_id: await connectTo(harness, type, configuration),
    destination_configuration: {
      schema,
      advanced: { hard_deletes: dies.chance(0.5), truncate_existing: dies.chance(0.2) },
    },
    normalize_names: dies.chance(0.7) ? 'enabled' : 'disabled',
    schemas: [{ id: 'public.t', ...(dies.chance(0.6) ? { tracking_field: 'at' } : {}) }],
  };
  story.push(
    JSON.stringify([
      request.mode,
      request.destination_configuration,
      request.normalize_names,
      request.schemas,
    ]),
  );
  return (await createBulkSync(harness, organizationId, actor, request, 'either')).id;
}

async function playRound(world: World, report: Report): Promise<void> {
  const { harness, dice: dies, source, destination, table, syncId, story } = world;
  for (let count = dies.below(4); count > 0; count--) story.push(await changeTable(source, table, dies));
  if (dies.chance(0.1)) story.push(await unsettle(source, dies));
  const stranger = destination.tamper !== undefined && dies.chance(0.05);
  if (stranger) {
    story.push('tamper');
    await destination.tamper?.();
  }
  const before = await destination.rows();
  const resync = dies.chance(0.15) ? dies.pick(['refetch', 'resync', 'rebuild'] as const) : undefined;
  const options = resync === undefined ? {} : { resync_mode: resync };
  const { id } = await startBulkSync(harness, harness.organizationId, syncId, options);
  const fault = dies.chance(0.15) ? dies.pick(['handed over', 'terminated'] as const) : 'none';
  story.push(`run ${[resync, fault].filter(Boolean).join(' ')}`);
  const disturbed = disturb(world, id, fault, dies.below(120));
  const { schemas } = await disturbed;
  report.runs++;
  const [schema] = schemas;
  if (schema?.status === 'completed' && !stranger) {
    report.completed++;
    const names = await outputNames(world);
    const expectation = {
      source: await sourceRows(source, table, names),
      destination: await destination.rows(),
      gone: table.gone,
    };
    const found = differences(expectation);
    if (found.length > 0) throw new Error(found.join('\n'));
    return;
  }
  report.failed++;
  story.push(`${schema?.status}: ${schema?.status_message}`);
  if (!schema?.status_message) throw new Error('it neither completed nor says why');
  if (stranger && !/exists in the destination/.test(schema.status_message))
    throw new Error('a stranger was touched');
  const after = await destination.rows();
  if (JSON.stringify(sorted(after)) !== JSON.stringify(sorted(before)))
    throw new Error('it failed and changed the table');
  if (
    !/exists in the destination|neither type holds|no unique index|does not take the rows|is NULL in some row/.test(
      schema.status_message,
    )
  ) {
    throw new Error('this is no reason to fail');
  }
  await harness.db.deleteFrom('executions').where('id', '=', id).execute();
  await forget(world);
}

const sorted = (rows: Awaited<ReturnType<Destination['rows']>>) =>
  rows?.map((row) => JSON.stringify([...row])).sort();

/** What failed for a reason goes on with a sync of its own, as somebody would who reads it. */
async function forget(world: World): Promise<void> {
  await world.destination.remove();
  world.story.push('the table is dropped');
}

async function disturb(
  { harness, source }: World,
  executionId: string,
  fault: 'none' | 'handed over' | 'terminated',
  after: number,
) {
  if (fault === 'handed over') {
    await beginRun(harness, executionId, (stop) => void pause(after).then(() => stop('draining'))).catch(
      () => {},
    );
  }
  const running = harness.run(executionId);
  if (fault === 'terminated') {
    await pause(after);
    await source.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name like 'tidemark bulk%'`);
  }
  return running;
}

/** The names that the columns of the source were given last. */
async function outputNames({ harness, syncId }: World): Promise<Map<string, string>> {
  const { column_names: given } = await harness.db
    .selectFrom('bulk_sync_schemas')
    .select('column_names')
    .where('bulk_sync_id', '=', syncId)
    .executeTakeFirstOrThrow();
  return new Map((given as { column: string; name: string }[]).map(({ column, name }) => [column, name]));
}
