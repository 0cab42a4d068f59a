import { expect } from 'vitest';
import type { ModelSyncMode } from '../../src/connectors/index.ts';
import type { Counts, RecordLogType, Run } from '../../src/executions/index.ts';
import type { ModelSync } from '../../src/model-syncs/index.ts';
import type { ModelSyncs } from './model-syncs.ts';
import { random } from './random.ts';
import { foretell, type Row, type Rules } from './sync-oracle.ts';

/** A table `items` of a system that is written to: id, value (but not `refused`), extra, note. */
export interface ConvergenceTarget {
  connectionId: string;
  object: string;
  /** Makes it anew. @param keyed an id is there once. */
  prepare(keyed: boolean): Promise<void>;
  /** Runs statements. */
  query(statements: string): Promise<unknown>;
  rows(): Promise<Row[]>;
  /** Every connection to it breaks. */
  cutOff(): Promise<void>;
}

const modes = ['create', 'update', 'updateOrCreate', 'append', 'remove', 'replace'] as const;

export const convergenceCases: readonly Case[] = [
  ...modes.map((mode) => ({ mode, keyed: true, seed: 1 })),
  { mode: 'remove', keyed: true, seed: 2 },
  ...(['append', 'replace'] as const).map((mode) => ({ mode, keyed: false, seed: 3 })),
];

interface Case {
  mode: ModelSyncMode;
  /** By an identity; else a record is its content. */
  keyed: boolean;
  seed: number;
}

/**
 * Records come, change, go, become invalid and valid again, others write to the target, and executions are killed,
 * canceled and cut off from the target at random places. Whatever happened before an execution that ran to its end, the
 * target is what the rules say, and the counts are what the logs say and what happened.
 */
export async function expectConvergence(
  world: ModelSyncs,
  target: ConvergenceTarget,
  { mode, keyed, seed }: Case,
): Promise<void> {
  const next = random(seed);
  const rules: Rules = {
    mode,
    keyed,
    fields: next() < 0.5 ? (mode === 'remove' ? [] : ['value']) : ['value', 'extra'],
    refuses: ({ value }) => value === 'refused',
  };
  await world.source.query(`drop table if exists items;
    create table items (row_id int generated always as identity, id int, value text, extra text);
    insert into items (id, value) select n, 'v' || n from generate_series(1, 60) n`);
  await target.prepare(keyed && mode !== 'append');
  for (let id = 50; id <= 70; id++) {
    await target.query(`insert into items values (${id}, 'theirs', null, 'note ${id}')`);
  }
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.items' }),
    connectionId: target.connectionId,
    object: target.object,
    mode,
    ...(keyed ? { identity: ['id', 'id'] as [string, string] } : {}),
    fields: rules.fields,
  });
  const known = new Map<string, string>();
  for (let round = 0; round < 4; round++) {
    await world.source.query(changes(next));
    if (round > 0 && keyed && mode !== 'append') await meddle(target, next);
    const model = await world.source.query<Row>('select id::text, value, extra from items order by row_id');
    const expected = foretell(rules, model, await target.rows(), known);
    const executions = await executeThroughFailures(world, target, sync, next);

    expect(shape(await target.rows(), rules)).toEqual(shape(expected.target, rules));
    const logged = await Promise.all(executions.map(({ id }) => lengthsOf(world, id)));
    for (const type of ['insert', 'update', 'delete'] as const) {
      expect([type, sum(executions, type)]).toEqual([type, expected[type]]);
      expect([type, logged.reduce((total, one) => total + one[type], 0)]).toEqual([type, expected[type]]);
    }
    for (const [index, { counts }] of executions.entries()) {
      expect(counts.error ?? 0).toBe(logged[index]?.error);
    }
    expect(executions.at(-1)?.counts.error ?? 0).toBe(expected.error);
    if (executions.length === 1) expect(executions[0]?.counts.total ?? 0).toBe(expected.total);
  }
}

interface Ended {
  id: string;
  counts: Counts;
}

/** @returns the executions it took: the last ran to its end, those before it were canceled. */
async function executeThroughFailures(
  world: ModelSyncs,
  target: ConvergenceTarget,
  sync: ModelSync,
  next: () => number,
): Promise<Ended[]> {
  const ended: Ended[] = [];
  let id = await world.start(sync);
  for (let failures = Math.floor(next() * 4); failures > 0; failures--) {
    const happens = next();
    const at = 1 + Math.floor(next() * 5);
    const fail = happens < 0.6 ? kill : happens < 0.8 ? cancel(world, id) : target.cutOff;
    const { outcome, counts } = await world.run(sync, id, atCommit(at, fail));
    if (outcome.status === 'completed') return [...ended, { id, counts }];
    if (outcome.status === 'interrupted' && happens < 0.6) continue;
    // Canceled, or failed for want of the target: what is left is the next one's.
    const status = outcome.status === 'failed' ? 'failed' : 'canceled';
    await world.db
      .updateTable('executions')
      .set({ status, completed_at: new Date().toISOString() })
      .where('id', '=', id)
      .execute();
    ended.push({ id, counts });
    id = await world.start(sync);
  }
  const { outcome, counts } = await world.run(sync, id);
  expect(outcome).toEqual({ status: 'completed' });
  return [...ended, { id, counts }];
}

function atCommit(nth: number, happens: () => Promise<void>): (run: Run) => Run {
  let commits = 0;
  return (run) => ({
    ...run,
    async commit(progress, work) {
      if (++commits === nth) await happens();
      await run.commit(progress, work);
    },
  });
}

async function kill(): Promise<void> {
  throw new Error('killed');
}

const cancel = (world: ModelSyncs, id: string) => async () =>
  void (await world.db.updateTable('executions').set({ status: 'canceling' }).where('id', '=', id).execute());

async function lengthsOf(
  world: ModelSyncs,
  id: string,
): Promise<Record<'insert' | 'update' | 'delete' | 'error', number>> {
  const length = async (type: RecordLogType) => (await world.log(id, type)).length;
  return {
    insert: await length('inserts'),
    update: await length('updates'),
    delete: await length('deletes'),
    error: await length('errors'),
  };
}

function sum(executions: readonly Ended[], type: string): number {
  return executions.reduce((total, { counts }) => total + (counts[type] ?? 0), 0);
}

/** Rows in an order of their own. Which of equal rows stayed, and its note, is left open where there is no identity. */
function shape(rows: readonly Row[], { keyed, fields }: Rules): string[] {
  const names = keyed ? ['id', 'value', 'extra', 'note'] : fields;
  return rows.map((row) => JSON.stringify(names.map((name) => row[name] ?? null))).toSorted();
}

/** What happens in the source. */
function changes(next: () => number): string {
  const id = () => 1 + Math.floor(next() * 70);
  const statements = Array.from({ length: 5 + Math.floor(next() * 20) }, () => {
    const kind = next();
    if (kind < 0.4) return `update items set value = 'v${Math.floor(next() * 9)}' where id = ${id()}`;
    // Not the same, whatever a collation says.
    const text = ['new', 'New', 'new ', ''][Math.floor(next() * 4)];
    if (kind < 0.5) return `update items set value = '${text}' where id = ${id()}`;
    if (kind < 0.6) return `insert into items (id, value) values (${id()}, '${text}')`;
    if (kind < 0.7) return `delete from items where id = ${id()}`;
    if (kind < 0.8) return `update items set value = 'refused' where id = ${id()}`;
    if (kind < 0.85) return `update items set id = null where id = ${id()}`;
    if (kind < 0.9) return `update items set extra = 'e${Math.floor(next() * 3)}' where id = ${id()}`;
    return 'delete from items where row_id in (select max(row_id) from items group by id having count(*) > 1)';
  });
  return statements.join(';');
}

/** What others do to the target meanwhile. */
async function meddle(target: ConvergenceTarget, next: () => number): Promise<void> {
  const there = new Set((await target.rows()).map((row) => Number(row.id)));
  for (let times = 0; times < 4; times++) {
    const id = 1 + Math.floor(next() * 80);
    const kind = next();
    if (kind < 0.4) await target.query(`delete from items where id = ${id}`);
    else if (kind < 0.7) await target.query(`update items set value = 'touched' where id = ${id}`);
    else if (!there.has(id)) await target.query(`insert into items values (${id}, 'theirs', null, 'note')`);
    there.add(id);
  }
}
