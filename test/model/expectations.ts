import { expect } from 'vitest';
import type { Executed, ModelSyncs } from '../support/model-syncs.ts';
import type { Outcome, Row } from './reference-model.ts';
import type { Looseness, PlayedTarget } from './targets.ts';

interface Expecting {
  world: ModelSyncs;
  target: PlayedTarget;
  looseness: Looseness;
  settings: { keyed: boolean; fields: string[]; mode: string };
}

export async function expectRows(sequence: Expecting, expected: readonly Row[]): Promise<void> {
  expect(shape(sequence, await sequence.target.rows()), 'rows of the target').toEqual(
    shape(sequence, expected),
  );
}

/** All of them, and others only that are equal to one of them. */
export async function expectRowsAtLeast(sequence: Expecting, expected: readonly Row[]): Promise<void> {
  const more = shape(sequence, await sequence.target.rows());
  const wanted = shape(sequence, expected);
  for (const row of wanted) {
    const place = more.indexOf(row);
    expect(place, `${row} is in the target as often as expected`).toBeGreaterThanOrEqual(0);
    more.splice(place, 1);
  }
  for (const row of more) expect(wanted, 'what was sent again').toContain(row);
}

/** Rows in an order of their own. Which of equal rows stayed, and its note, is left open where there is no identity. */
function shape({ target, settings, looseness }: Expecting, rows: readonly Row[]): string[] {
  const names = settings.keyed ? ['id', 'value', 'extra'] : settings.fields;
  const text = (row: Row, name: string) => {
    const value = row[name] ?? null;
    return name === 'id' && value !== null ? target.canonical(looseness, value) : value;
  };
  return rows.map((row) => JSON.stringify(names.map((name) => text(row, name)))).toSorted();
}

const logs = { insert: 'inserts', update: 'updates', delete: 'deletes', error: 'errors' } as const;

/** Counts and logs of executions tell the same, and together what was to be expected. */
export async function expectCounts(
  { world, target }: Expecting,
  executions: readonly Executed[],
  expected: Outcome | undefined,
): Promise<void> {
  const sums = { insert: 0, update: 0, delete: 0, upserts: 0 };
  for (const { id, counts } of executions) {
    const kept = await world.logTypes(id);
    for (const [count, type] of Object.entries(logs)) {
      const entries = kept.has(type) ? await world.log(id, type) : [];
      expect(counts[count] ?? 0, `${count} against its log`).toBe(entries.length);
    }
    for (const count of ['insert', 'update', 'delete', 'upserts'] as const) sums[count] += counts[count] ?? 0;
  }
  if (expected === undefined) return;
  const { insert, update, delete: deleted, error, total } = expected;
  const sent =
    target.name === 'webhook'
      ? { insert: 0, update: 0, upserts: insert + update }
      : { insert, update, upserts: 0 };
  expect(sums, 'counts').toEqual({ ...sent, delete: deleted });
  const last = executions.at(-1)?.counts;
  expect(last?.error ?? 0, 'errors').toBe(error);
  if (executions.length === 1) expect(last?.total ?? 0, 'total').toBe(total);
}

/** Identities of the records that an execution sent. */
export async function offeredTo({ world, settings }: Expecting, executionId: string): Promise<Set<string>> {
  const entries = (await world.log(executionId, 'records')) as Row[];
  if (settings.keyed) return new Set(entries.map(({ id }) => id ?? ''));
  return new Set();
}
