import { expect } from 'vitest';
import type { ModelSyncMode } from '../../src/connectors/index.ts';
import { deleteModelSync, type ModelSync } from '../../src/model-syncs/index.ts';
import type { Model } from '../../src/models/index.ts';
import type { Executed, ModelSyncs } from '../support/model-syncs.ts';
import { random } from '../support/random.ts';
import { changes, identity, meddling, oneOf, type Random, sourceTable } from './changes.ts';
import { atCommit, cancel, dyingAt, give, kill } from './deaths.ts';
import { expectCounts, expectRows, expectRowsAtLeast, offeredTo } from './expectations.ts';
import { type Asked, execute, type Row, type Rules, type State } from './reference-model.ts';
import type { Looseness, PlayedTarget, Shape } from './targets.ts';

/** How a sync is set up. Some of it changes on the way. */
interface Settings {
  mode: ModelSyncMode;
  keyed: boolean;
  fields: string[];
  filtered: boolean;
  syncsAll: boolean;
  skipsBackfill: boolean;
}

/** What a sequence is about. */
interface Sequence {
  next: Random;
  target: PlayedTarget;
  world: ModelSyncs;
  model: Model;
  settings: Settings;
  looseness: Looseness;
  shape: Shape;
  /** Others write to the target; else executions are cut short while the source goes on. */
  meddled: boolean;
  heals: boolean;
  /** What mode `create` has found and what it has made cannot be told apart any more. */
  strayed: boolean;
  sync: ModelSync;
  state: State;
  log: string[];
}

/**
 * Plays one sequence: rounds of changes in the source, in the settings and in the target, each followed by executions of
 * which the last one runs to its end. The target, the counts and the logs are then what the reference model says.
 *
 * @param log is told what happens.
 */
export async function play(
  world: ModelSyncs,
  target: PlayedTarget,
  seed: number,
  log: string[] = [],
): Promise<void> {
  const next = random(seed);
  const sequence = await begin(world, target, next, log);
  const { state } = sequence;
  const id = () => identity(next, sequence.looseness, target.name === 'mysql');
  for (let round = 0; round < 4; round++) {
    await told(sequence, changes(next, id));
    if (round > 0) await changeSettings(sequence);
    if (round > 0) await changeTarget(sequence, id);
    const kind = next();
    if (kind < 0.55) await clean(sequence, askedFor(sequence, id));
    else if (kind < 0.75) await throughFailures(sequence);
    else if (sequence.meddled || state.known === undefined) await clean(sequence, {});
    else await astray(sequence, id);
  }
  const deps = { db: world.db, jobs: world.jobs, publicUrl: '' };
  await deleteModelSync(deps, world.organizationId, sequence.sync.id);
}

async function begin(
  world: ModelSyncs,
  target: PlayedTarget,
  next: Random,
  log: string[],
): Promise<Sequence> {
  const mode = oneOf(next, target.modes);
  const keyed = target.name === 'webhook' || !(mode === 'append' || mode === 'replace') || next() < 0.75;
  const isTable = target.query !== undefined;
  const looseness: Looseness =
    isTable && keyed && next() < 0.4 ? oneOf(next, ['case', 'number'] as const) : 'exact';
  const settings = {
    mode,
    keyed,
    fields: next() < 0.5 ? ['value'] : ['value', 'extra'],
    filtered: next() < 0.4,
    syncsAll: next() < 0.15,
    skipsBackfill: mode !== 'replace' && next() < 0.1,
  };
  const shape = { looseness, unique: keyed && mode !== 'append' && next() < 0.6 };
  await Promise.all([world.source.query(sourceTable), target.prepare(shape)]);
  if (looseness === 'number') await world.source.query(`update items set id = substr(id, 2)`);
  const model = await world.createModel({ table: 'public.items' });
  log.push(`${target.name} ${JSON.stringify({ ...settings, ...shape })}`);
  const meddled = isTable && next() < 0.5;
  const sequence = { next, target, world, model, settings, looseness, shape, log, meddled };
  const sync = await world.createSync(requestOf({ ...sequence, heals: false }));
  return {
    ...sequence,
    sync,
    heals: false,
    strayed: false,
    state: { target: await target.rows(), known: undefined },
  };
}

function requestOf({ model, target, settings }: Pick<Sequence, 'model' | 'target' | 'settings' | 'heals'>) {
  const { mode, keyed, fields, filtered, syncsAll, skipsBackfill } = settings;
  return {
    model,
    mode,
    connectionId: target.connectionId,
    object: target.object,
    configuration: target.configuration,
    ...(keyed ? { identity: ['id', target.identity] as [string, string] } : {}),
    fields: fields.map((name) => target.field(name)),
    ...(filtered ? { filters: [{ field_id: 'active', function: 'True' }] } : {}),
    sync_all_records: syncsAll,
    skip_initial_backfill: skipsBackfill,
  };
}

async function told({ world, log }: Sequence, statements: string): Promise<void> {
  if (statements === '') return;
  log.push(statements);
  await world.source.query(statements);
}

async function changeSettings(sequence: Sequence): Promise<void> {
  const { next, settings, target, world, sync, state, log } = sequence;
  const kind = next();
  if (kind > 0.35) return;
  if (kind < 0.1) settings.filtered = !settings.filtered;
  else if (kind < 0.2) settings.fields = settings.fields.length > 1 ? ['value'] : ['value', 'extra'];
  else if (kind < 0.25) settings.syncsAll = !settings.syncsAll;
  else if (
    settings.keyed &&
    settings.mode !== 'append' &&
    !(sequence.strayed && settings.mode === 'create')
  ) {
    const before = settings.mode;
    settings.mode = oneOf(
      next,
      target.modes.filter((mode) => mode !== 'append'),
    );
    if (settings.mode === 'replace') settings.skipsBackfill = false;
    // What was removed is not there for any other mode.
    if ((before === 'remove') !== (settings.mode === 'remove')) state.known = undefined;
  }
  log.push(JSON.stringify(settings));
  sequence.sync = await world.updateSync(sync.id, requestOf(sequence));
}

async function changeMapping(sequence: Sequence): Promise<void> {
  const { settings, world, sync, log } = sequence;
  settings.fields = settings.fields.length > 1 ? ['value'] : ['value', 'extra'];
  log.push(JSON.stringify(settings));
  sequence.sync = await world.updateSync(sync.id, requestOf(sequence));
}

async function changeTarget(sequence: Sequence, id: () => string): Promise<void> {
  const { next, target, state, settings, meddled, log } = sequence;
  const kind = next();
  // What was only taken note of need never have been there.
  if (settings.skipsBackfill) return;
  if (kind < 0.08 && !(target.name === 'mysql' && settings.mode === 'append')) {
    log.push('target emptied');
    await target.empty();
    state.target = [];
    // A webhook cannot tell.
    if (target.name === 'webhook') await clean(sequence, { resync: true });
    else if (settings.mode !== 'remove') state.known?.clear();
  } else if (kind >= 0.5 && kind < 0.56 && target.query !== undefined) {
    // MySQL says in whole seconds when a table was made.
    if (target.name === 'mysql' && settings.mode === 'append') return;
    log.push('target made new');
    await target.prepare(sequence.shape);
    sequence.heals = false;
    state.target = [];
    // PostgreSQL alone tells it from one that is empty, and what was removed may be so.
    if (target.name === 'postgresql' || settings.mode !== 'remove') state.known?.clear();
  } else if (kind < 0.14 && target.heal !== undefined) {
    log.push('target healed');
    await target.heal();
    sequence.heals = true;
    // MySQL makes a table new for an ALTER, and does not tell that from emptying it: the rows are counted.
    const counted = target.name === 'mysql' && settings.mode !== 'append' && settings.mode !== 'remove';
    if (counted && (state.known?.size ?? 0) > state.target.length) state.known?.clear();
  } else if (kind < 0.5 && meddled && settings.keyed && settings.mode !== 'append' && target.query) {
    const statement = meddling(next, id);
    log.push(`target: ${statement}`);
    await target.query(statement);
    state.target = await target.rows();
    // To the target it cannot be told from one that was emptied.
    if (state.target.length === 0 && settings.mode !== 'remove') state.known?.clear();
  }
}

function askedFor({ next, settings }: Sequence, id: () => string): Asked {
  const kind = next();
  if (kind < 0.12) return { resync: true };
  if (kind > 0.25 || !settings.keyed || settings.mode === 'replace') return {};
  return { only: [id(), id(), id()], ...(next() < 0.3 ? { resync: true } : {}) };
}

export function rulesOf({ settings, target, looseness, heals }: Sequence): Rules {
  return {
    ...settings,
    whole: target.query === undefined,
    canonical: (text) => target.canonical(looseness, text),
    refuses: ({ value }) => value === 'refused' && !heals && target.name !== 's3',
  };
}

export async function modelRows({ world, settings }: Sequence): Promise<Row[]> {
  const where = settings.filtered ? 'where active' : '';
  return world.source.query<Row>(`select id, value, extra from items ${where} order by row_id`);
}

/** One execution that runs to its end. */
async function clean(sequence: Sequence, asked: Asked): Promise<Executed> {
  const { world, sync, state, log, next } = sequence;
  const rows = await modelRows(sequence);
  const rules = rulesOf(sequence);
  const { resync, only } = asked;
  const options = { ...(resync ? { resync } : {}), ...(only ? { identities: [...only] } : {}) };
  if (next() < 0.1) {
    const expected = execute({ ...rules, skipsBackfill: false }, rows, structuredClone(state), asked);
    log.push('dry run');
    const dry = await world.execute(sync, { ...options, test: true });
    expect(dry.outcome, 'dry run').toEqual({ status: 'completed' });
    expect(dry.counts.total ?? 0, 'total of a dry run').toBe(expected.total);
  }
  const expected = execute(rules, rows, state, asked);
  log.push(`execute ${JSON.stringify(options)}`);
  const executed = await world.execute(sync, options);
  expect(executed.outcome, JSON.stringify(executed.outcome)).toEqual({ status: 'completed' });
  await expectRows(sequence, state.target);
  await expectCounts(sequence, [executed], expected);
  return executed;
}

/** Killed, canceled and failed, while nothing else changes: all executions together do what one would have done. */
async function throughFailures(sequence: Sequence): Promise<void> {
  const { world, state, next, log } = sequence;
  const expected = execute(rulesOf(sequence), await modelRows(sequence), state);
  const executions: Executed[] = [];
  let id = await world.start(sequence.sync);
  for (let failures = 1 + Math.floor(next() * 3); failures > 0; failures--) {
    const kills = next() < 0.7;
    const at = 1 + Math.floor(next() * 5);
    log.push(`${kills ? 'kill' : 'cancel'} at commit ${at}`);
    const one = await world.run(sequence.sync, id, atCommit(at, kills ? kill : cancel(world, id)));
    if (one.outcome.status === 'completed') return expectEnd([...executions, one]);
    if (kills) continue;
    await give(world, id, 'canceled');
    executions.push(one);
    id = await world.start(sequence.sync);
  }
  log.push('execute');
  const last = await world.run(sequence.sync, id);
  expect(last.outcome).toEqual({ status: 'completed' });
  await expectEnd([...executions, last]);

  async function expectEnd(all: Executed[]) {
    // Everything is sent again by each of them, and appended again by as much of it as each has sent.
    const repeats = sequence.settings.syncsAll && all.length > 1;
    if (repeats && sequence.settings.mode === 'append') {
      await expectRowsAtLeast(sequence, state.target);
      state.target = await sequence.target.rows();
    } else await expectRows(sequence, state.target);
    await expectCounts(sequence, all, repeats ? undefined : expected);
  }
}

/** Broken at any statement, given up or taken over, while source and settings change; then one that runs to its end. */
async function astray(sequence: Sequence, id: () => string): Promise<void> {
  const { world, target, state, next, log } = sequence;
  sequence.strayed = true;
  let execution = await world.start(sequence.sync, next() < 0.2 ? { resync: true } : {});
  for (let deaths = 1 + Math.floor(next() * 3); deaths > 0; deaths--) {
    const at = 1 + Math.floor(next() * 90);
    log.push(`dies at statement ${at}`);
    const status = await dyingAt(world, at, () => world.run(sequence.sync, execution)).then(
      ({ outcome }) => outcome.status,
      () => 'interrupted' as const,
    );
    if (status === 'interrupted' && next() < 0.5) {
      await told(sequence, changes(next, id));
      continue;
    }
    log.push(`ends as ${status}`);
    if (status !== 'completed') await give(world, execution, 'failed');
    await told(sequence, changes(next, id));
    if (next() < 0.3) await changeMapping(sequence);
    execution = await world.start(sequence.sync);
  }
  // A taken over one delivers what it planned then: one more sees the source as it is.
  for (let last = 0; last < 2; last++) {
    const isLast = last === 1;
    if (isLast) {
      state.target = await target.rows();
      execution = await world.start(sequence.sync);
    }
    log.push('execute');
    const executed = await world.run(sequence.sync, execution);
    expect(executed.outcome, JSON.stringify(executed.outcome)).toEqual({ status: 'completed' });
    await expectCounts(sequence, [executed], undefined);
  }
  await settled(sequence);
}

/** What was only taken note of, as far as nothing has been done about it since: it stays as it is. */
function notedOnly(sequence: Sequence): [string, string][] {
  const { settings, state } = sequence;
  if (!settings.skipsBackfill) return [];
  const { canonical } = rulesOf(sequence);
  const known = [...(state.known ?? [])];
  if (settings.mode === 'remove') return known;
  const has = new Set(state.target.flatMap(({ id }) => (id == null ? [] : canonical(id))));
  return known.filter(([key]) => !has.has(canonical(key)));
}

/** After executions of which it is not known how far they came: everything is there, and nothing is sent again. */
async function settled(sequence: Sequence): Promise<void> {
  const { target, state, settings, world, log } = sequence;
  const rows = await modelRows(sequence);
  const rules = rulesOf(sequence);
  const appends = settings.mode === 'append' || (settings.mode === 'create' && !settings.keyed);
  const anew: State = { target: state.target, known: new Map(notedOnly(sequence)) };
  const { error } = execute({ ...rules, skipsBackfill: false, syncsAll: false }, rows, anew);
  if (!appends) await expectRows(sequence, anew.target);
  state.target = await target.rows();
  if (settings.keyed && !appends) {
    const ids = state.target.flatMap((row) => (row.id == null ? [] : rules.canonical(row.id)));
    expect(ids.length, 'identities of the target').toBe(new Set(ids).size);
  }
  if (settings.mode === 'replace') state.known = undefined;
  else if (settings.syncsAll && settings.mode !== 'create') state.known = anew.known;
  else {
    log.push('execute: nothing is left');
    const again = await world.execute(sequence.sync);
    expect(again.outcome).toEqual({ status: 'completed' });
    const offered = await offeredTo(sequence, again.id);
    // What is not there may have been removed on the way, or never have been there.
    const removed = rows.flatMap(({ id }): [string, string][] => (id == null ? [] : [[id, '']]));
    const known = settings.mode === 'remove' ? removed : [...(anew.known ?? [])];
    state.known = new Map(known.filter(([key]) => !offered.has(key)));
    for (const type of ['insert', 'update', 'delete', 'upserts'] as const) {
      expect(again.counts[type] ?? 0, `${type} of an execution with nothing to do`).toBe(0);
    }
    await expectRows(sequence, state.target);
    // An identity that is there twice may be known or not, by which execution saw it when it was there once.
    if (error > 0) await clean(sequence, { resync: true });
  }
}
