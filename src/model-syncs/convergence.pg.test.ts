import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { random } from '../../test/support/random.ts';
import { foretell, type Row, type Rules } from '../../test/support/sync-oracle.ts';
import type { Counts, RecordLogType, Run } from '../executions/index.ts';
import type { ModelSync } from './model-sync.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());

const modes = ['create', 'update', 'updateOrCreate', 'append', 'remove', 'replace'] as const;
const cases = [
  ...modes.map((mode) => ({ mode, keyed: true, seed: 1 })),
  { mode: 'remove', keyed: true, seed: 2 } as const,
  ...(['append', 'replace'] as const).map((mode) => ({ mode, keyed: false, seed: 3 })),
];

/**
 * Records come, change, go, become invalid and valid again, others write to the target, and executions are killed,
 * canceled and cut off from the target at random places. Whatever happened before an execution that ran to its end, the
 * target is what the rules say, and the counts are what the logs say and what happened.
 */
test.each(cases)(
  '$mode, by identity: $keyed, seed $seed: the target is what the rules say',
  async ({ mode, keyed, seed }) => {
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
    await world.target.query(`drop table if exists items;
    create table items (id int ${mode === 'append' || !keyed ? '' : 'primary key'},
      value text check (value <> 'refused'), extra text, note text);
    insert into items select n, 'theirs', null, 'note ' || n from generate_series(50, 70) n`);
    const sync = await world.createSync({
      model: await world.createModel({ table: 'public.items' }),
      object: 'public.items',
      mode,
      ...(keyed ? { identity: ['id', 'id'] as [string, string] } : {}),
      fields: rules.fields,
    });
    const known = new Map<string, string>();
    for (let round = 0; round < 4; round++) {
      await world.source.query(changes(next, 'items'));
      if (round > 0 && keyed && mode !== 'append') await world.target.query(meddling(next));
      const read = (database: ModelSyncs['source'], order: string) =>
        database.query<Row>(`select id::text, value, extra, ${order} from items order by ${order}`);
      const model = await read(world.source, 'row_id::text');
      const before = await world.target.query<Row>('select id::text, value, extra, note from items');
      const expected = foretell(rules, model, before, known);
      const executions = await executeThroughFailures(sync, next);

      const after = await world.target.query<Row>('select id::text, value, extra, note from items');
      expect(shape(after, rules)).toEqual(shape(expected.target, rules));
      const logged = await Promise.all(executions.map(({ id }) => lengthsOf(id)));
      for (const type of ['insert', 'update', 'delete'] as const) {
        expect([type, sum(executions, type)]).toEqual([type, expected[type]]);
        expect([type, logged.reduce((total, one) => total + one[type], 0)]).toEqual([type, expected[type]]);
      }
      for (const [index, { counts }] of executions.entries())
        expect(counts.error ?? 0).toBe(logged[index]?.error);
      expect(executions.at(-1)?.counts.error ?? 0).toBe(expected.error);
      if (executions.length === 1) expect(executions[0]?.counts.total ?? 0).toBe(expected.total);
    }
  },
);

interface Ended {
  id: string;
  counts: Counts;
}

/** @returns the executions it took: the last ran to its end, those before it were canceled. */
async function executeThroughFailures(sync: ModelSync, next: () => number): Promise<Ended[]> {
  const ended: Ended[] = [];
  let id = await world.start(sync);
  for (let failures = Math.floor(next() * 4); failures > 0; failures--) {
    const happens = next();
    const at = 1 + Math.floor(next() * 5);
    const fail = happens < 0.6 ? kill : happens < 0.8 ? cancel(id) : cutOff;
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

const cancel = (id: string) => async () =>
  void (await world.db.updateTable('executions').set({ status: 'canceling' }).where('id', '=', id).execute());

/** Every connection to the target breaks. */
async function cutOff(): Promise<void> {
  await world.target.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`);
}

async function lengthsOf(id: string): Promise<Record<'insert' | 'update' | 'delete' | 'error', number>> {
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

function changes(next: () => number, table: string): string {
  const id = () => 1 + Math.floor(next() * 70);
  const statements = Array.from({ length: 5 + Math.floor(next() * 20) }, () => {
    const kind = next();
    if (kind < 0.4) return `update ${table} set value = 'v${Math.floor(next() * 9)}' where id = ${id()}`;
    if (kind < 0.6) return `insert into ${table} (id, value) values (${id()}, 'new')`;
    if (kind < 0.7) return `delete from ${table} where id = ${id()}`;
    if (kind < 0.8) return `update ${table} set value = 'refused' where id = ${id()}`;
    if (kind < 0.85) return `update ${table} set id = null where id = ${id()}`;
    if (kind < 0.9) return `update ${table} set extra = 'e${Math.floor(next() * 3)}' where id = ${id()}`;
    return `delete from ${table} where row_id in (select max(row_id) from ${table} group by id having count(*) > 1)`;
  });
  return statements.join(';');
}

/** What others do to the target meanwhile. */
function meddling(next: () => number): string {
  const id = () => 1 + Math.floor(next() * 80);
  return Array.from({ length: 4 }, () => {
    const kind = next();
    if (kind < 0.4) return `delete from items where id = ${id()}`;
    if (kind < 0.7) return `update items set value = 'touched' where id = ${id()}`;
    return `insert into items values (${id()}, 'theirs', null, 'note') on conflict do nothing`;
  }).join(';');
}
