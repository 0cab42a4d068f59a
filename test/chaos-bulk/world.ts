import { createBulkSync, startBulkSync } from '../../src/bulk-syncs/index.ts';
import type { BulkSyncRequest } from '../../src/schema/bulk-sync.ts';
import { connectTo } from '../support/bulk-survival.ts';
import type { BulkHarness } from '../support/bulk-syncs.ts';
import { type CuttingProxy, cuttingProxy } from '../support/cutting-proxy.ts';
import { differences } from './compare.ts';
import { type Destination, makeDestination } from './destinations.ts';
import { type Dice, dice } from './dice.ts';
import { type Disturbed, type Fault, faultKinds, runDisturbed } from './faults.ts';
import type { Kind } from './kinds.ts';
import { mysqlSource } from './mysql-source.ts';
import { postgresqlSource } from './postgresql-source.ts';
import type { Servers } from './servers.ts';
import type { Source } from './source.ts';

export interface Report {
  runs: number;
  completed: number;
  failed: number;
  /** What was done. */
  story: string[];
  /** What must not be, and what differs. */
  broken?: string;
}

interface World extends Disturbed {
  dice: Dice;
  request: BulkSyncRequest;
  syncId: string;
  /** Whether a full read may be asked for by what the source says of its tracking field. */
  followed: boolean;
  /** The greatest `at` of the source when rows were read last; undefined: not known. */
  position: string | null | undefined;
  /** What was done so far. */
  story: string[];
}

/** One sync through a few executions, with everything in between that the seed says. */
export async function playWorld(
  harness: BulkHarness,
  servers: Servers,
  seed: number,
  kind: Kind,
): Promise<Report> {
  const dies = dice(seed);
  const story = [`seed ${seed}, ${kind.name}`];
  const report: Report = { runs: 0, completed: 0, failed: 0, story };
  try {
    await using source = await (kind.source === 'mysql' ? mysqlSource : postgresqlSource)(servers, dies);
    await using destination = await makeDestination[kind.destination]({ servers, harness });
    await using proxies = new AsyncDisposableStack();
    const reached: CuttingProxy[] = [];
    const isProxied = dies.chance(0.4);
    for (const end of [source, destination]) {
      if (end.type === 'postgresql' && kind.pooling !== undefined) {
        end.configuration = { ...end.configuration, port: await servers.pgbouncer(kind.pooling) };
      }
      if (!isProxied || typeof end.configuration.port !== 'number') continue;
      const proxy = proxies.use(await cuttingProxy(end.configuration.port));
      end.configuration = { ...end.configuration, port: proxy.port };
      reached.push(proxy);
    }
    if (dies.chance(0.5)) await unsettle(source, destination, dies, story);
    const made = await makeSync({ harness, dice: dies, source, destination, story });
    const world: World = {
      harness,
      dice: dies,
      source,
      destination,
      proxies: reached,
      story,
      position: undefined,
      took: 200,
      ...made,
    };
    for (let round = 4 + dies.below(6); round > 0; round--) await playRound(world, report);
  } catch (error) {
    report.broken = `${error instanceof Error ? error.stack : error}`;
  }
  return report;
}

async function unsettle(
  source: Source,
  destination: Destination,
  dies: Dice,
  story: string[],
): Promise<void> {
  const end = destination.unsettle !== undefined && dies.chance(0.5) ? destination : source;
  story.push(`${end === source ? 'source' : 'destination'} ${await end.unsettle?.(dies)}`);
}

async function makeSync({
  harness,
  dice: dies,
  source,
  destination,
  story,
}: Pick<World, 'harness' | 'dice' | 'source' | 'destination' | 'story'>) {
  const { organizationId, actor } = harness;
  const from = await connectTo(harness, source.type, source.configuration);
  const isTracked = dies.chance(0.85);
  const request: BulkSyncRequest = {
    name: crypto.randomUUID(),
    mode: dies.chance(0.08) ? 'snapshot' : 'replicate',
    source_connection_id: from,
    destination_connection_id: await connectTo(harness, destination.type, destination.configuration),
    destination_configuration: {
      ...destination.options,
      ...(dies.chance(0.2) ? { overwrite: true } : {}),
      advanced: { hard_deletes: dies.chance(0.5), truncate_existing: dies.chance(0.2) },
    },
    normalize_names: dies.chance(0.7) ? 'enabled' : 'disabled',
    schemas: [{ id: source.schemaId, ...(isTracked ? { tracking_field: 'at' } : {}) }],
  };
  const { mode, destination_configuration: configuration, normalize_names: names } = request;
  story.push(JSON.stringify([source.table, mode, configuration, names, isTracked], replaceSets));
  if (source.override !== undefined) {
    story.push('key by hand');
    const key = { connection_id: from, schema_id: source.schemaId, fields: source.override };
    await harness.db.insertInto('connection_schema_keys').values(key).execute();
  }
  const { id: syncId } = await createBulkSync(harness, organizationId, actor, request, 'either');
  return { request, syncId, followed: isTracked && mode === 'replicate' };
}

const replaceSets = (_: string, value: unknown) => (value instanceof Set ? undefined : value);

async function playRound(world: World, report: Report): Promise<void> {
  const { dice: dies, source, destination, story, request } = world;
  for (let count = dies.below(5); count > 0; count--) story.push(await source.change(dies));
  if (dies.chance(0.15)) await unsettle(source, destination, dies, story);
  const isStranger = destination.tamper !== undefined && dies.chance(0.05);
  if (isStranger) {
    story.push('tamper');
    await destination.tamper?.();
  }
  if (dies.chance(0.03)) await hidden(world, report);
  const fault = drawFault(world);
  const { completed, reason } = await play(world, report, fault);
  if (isStranger && request.destination_configuration.overwrite !== true) {
    if (completed || !/exists in the destination/.test(reason)) throw new Error('a stranger was touched');
  } else if (!completed && fault !== 'canceled' && fault !== 'changed' && !isReason.test(reason)) {
    throw new Error('this is no reason to fail');
  }
  if (!completed && fault !== 'canceled' && fault !== 'changed') {
    // What failed for a reason goes on without the table, as somebody would who reads it.
    await destination.remove();
    story.push('the table is dropped');
  }
  // What came meanwhile is there with the next execution.
  if (fault === 'changed' || fault === 'canceled') await playQuietly(world, report);
}

async function playQuietly(world: World, report: Report): Promise<void> {
  const { completed, reason } = await play(world, report, 'none');
  if (completed) return;
  if (!isReason.test(reason)) throw new Error('this is no reason to fail');
  await world.destination.remove();
  world.story.push('the table is dropped');
}

/** Reasons that worlds give on purpose. */
const isReason =
  /exists in the destination|neither type holds|no unique index|does not take the rows|is NULL in some row|more than once|max_allowed_packet/;

/** A worker to be killed costs more than all else. */
function drawFault(world: World): Fault {
  const { dice: dies } = world;
  if (dies.chance(0.02)) return 'killed';
  return dies.chance(0.3) ? dies.pick(faultKinds.filter((one) => isPossible(one, world))) : 'none';
}

const isPossible = (fault: Fault, { proxies, destination }: World) =>
  (fault !== 'cut' || proxies.length > 0) &&
  (fault !== 'destination ended' || destination.terminate !== undefined);

/** A table that is not there fails, changes nothing, and goes on when it is there again. */
async function hidden(world: World, report: Report): Promise<void> {
  world.story.push('hidden');
  const show = await world.source.hide();
  const { completed } = await play(world, report, 'none');
  if (completed) throw new Error('what is not there was read');
  await show();
}

interface Played {
  completed: boolean;
  reason: string;
}

/** One execution, and whether it did what it says. */
async function play(world: World, report: Report, fault: Fault): Promise<Played> {
  const { harness, dice: dies, destination, syncId, story } = world;
  const before = await destination.rows();
  const resync = dies.chance(0.1) ? dies.pick(['refetch', 'resync', 'rebuild'] as const) : undefined;
  const options = resync === undefined ? {} : { resync_mode: resync };
  const { id } = await startBulkSync(harness, harness.organizationId, syncId, options);
  const start = performance.now();
  story.push(`run ${[resync, fault].filter(Boolean).join(' ')}`);
  const { schemas } = await runDisturbed(world, id, fault, dies, story);
  world.took = performance.now() - start;
  story.push(`${Math.round(world.took)} ms`);
  report.runs++;
  const lost = (await harness.console(id)).entries.filter(({ message }) =>
    message.startsWith('Lost a connection'),
  );
  story.push(...lost.map(({ message }) => message));
  const [schema] = schemas;
  const completed = schema?.status === 'completed';
  if (completed) {
    report.completed++;
    if (fault === 'changed') world.position = undefined;
    else await compare(world, id);
    return { completed, reason: '' };
  }
  report.failed++;
  const reason = schema?.status_message ?? '';
  story.push(`${schema?.status}: ${reason}`);
  if (reason === '' && fault !== 'canceled') throw new Error('it neither completed nor says why');
  const after = await destination.rows();
  if (JSON.stringify(sorted(after)) !== JSON.stringify(sorted(before)))
    throw new Error('it failed and changed the table');
  return { completed, reason };
}

const sorted = (rows: Awaited<ReturnType<Destination['rows']>>) =>
  rows?.map((row) => JSON.stringify([...row])).sort();

async function compare(world: World, executionId: string): Promise<void> {
  const { source, destination, followed, harness } = world;
  const { entries } = await harness.console(executionId);
  const why = entries
    .map(({ message }) => /every record is read because (.*)/.exec(message)?.[1])
    .find(Boolean);
  const { rows, meanings } = await source.rows();
  const latest = greatest(rows.map((row) => row.get('at') ?? null));
  const isBehind = world.position !== undefined && !isAtLeast(latest, world.position);
  if (followed && isBehind && why === undefined) {
    throw new Error(`nothing reaches ${world.position}, and not every record was read`);
  }
  world.story.push(why ?? 'going on');
  // Nothing may be as it was after all has been read.
  if (why !== undefined) source.table.untold.clear();
  const names = await outputNames(world);
  const found = differences({
    source: rows,
    meanings,
    destination: await destination.rows(),
    names,
    lost: destination.lost,
    untold: source.table.untold,
  });
  if (found.length > 0) throw new Error(found.join('\n'));
  world.position = latest;
}

const order = (one: string, other: string) =>
  /^-?[\d.]+$/.test(one) ? Number(one) - Number(other) : one < other ? -1 : Number(one > other);

function greatest(values: readonly (string | null)[]): string | null {
  return (
    values
      .filter((value) => value !== null)
      .sort(order)
      .at(-1) ?? null
  );
}

function isAtLeast(value: string | null, position: string | null): boolean {
  return position === null || (value !== null && order(value, position) >= 0);
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
