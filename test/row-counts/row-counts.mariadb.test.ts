import { expect, test } from 'vitest';
import { copyTable } from '../../src/bulk-syncs/copy-table.ts';
import type { BulkDestination, BulkOutput, LoadPlan } from '../../src/connectors/index.ts';
import { decodeCopyText } from '../../src/lib/copy-text.ts';
import { type System, systems } from '../exactness/systems.ts';
import { describeMariadb } from '../support/mariadb.ts';
import { countedSource, type Fault } from './counted-source.ts';

const progress = {
  stored: 0,
  add: () => {},
  follow: () => () => {},
  [Symbol.dispose]: () => {},
};

/** Copies rows `1 … rows` into table t. */
async function copy(
  { session, target }: System,
  rows: number,
  fault: Fault,
  { plan, mark = false, id = crypto.randomUUID() }: { plan: Partial<LoadPlan>; mark?: boolean; id?: string },
): Promise<number> {
  const source = countedSource(rows, fault);
  const table = await source.table('t', undefined);
  const { bulkDestination: destination } = session;
  if (destination === undefined) throw new Error('no destination');
  const ranges = plan.ranged ? ((await source.ranges?.(table, 5)) ?? []) : [];
  const output: BulkOutput = {
    ...target('t'),
    origin: undefined,
    columns: table.columns,
    primaryKey: table.primaryKey,
    ...(mark ? { deletedAt: 'deleted_at' } : {}),
  };
  const settled: LoadPlan = { executionId: id, mode: 'replace', truncate: false, ranged: false, ...plan };
  const { signal } = new AbortController();
  const copied = await copyTable(
    { source, destination },
    { table, output, plan: settled, read: {}, ranges, position: { sync: 'mine' } },
    { signal, progress, streams: 2 },
  );
  return copied.rows;
}

/** The first column of what is there. */
async function idsIn({ session, schemaId }: System): Promise<number[]> {
  const { bulkSource: source } = session;
  const table = await source?.table(schemaId('t'), undefined);
  if (source === undefined || table === undefined) throw new Error('no table');
  const rows = await Array.fromAsync(decodeCopyText(await source.read(table, 'copy-text', {})));
  return rows
    .flat()
    .map(([id]) => Number(id))
    .sort((a, b) => a - b);
}

const upTo = (rows: number) => Array.from({ length: rows }, (_, index) => index + 1);

const loads: Record<string, { plan: Partial<LoadPlan>; mark?: boolean }> = {
  whole: { plan: {} },
  'in ranges': { plan: { ranged: true } },
  'emptied and filled': { plan: { truncate: true } },
  merged: { plan: { mode: 'merge' } },
  'merged in full, in ranges': { plan: { mode: 'merge', missing: 'remove', ranged: true } },
  'merged in full, marking': { plan: { mode: 'merge', missing: 'mark' }, mark: true },
};

const faults: [Fault, RegExp][] = [
  [
    'lost unnoticed',
    /1 row missing.*the source sent 12 rows, 12 came over the wire, the destination stored 11/,
  ],
  ['lost by the source', /1 row missing.*the source sent 12 rows, 11 came over the wire/],
  // Where the staged rows have a key already, that is what the destination says first.
  ['repeated by the source', /1 row too many.*sent 12 rows, 13 came|has a value twice/],
  ['not counted', /the source sent an unknown number of rows/],
];

/** Of a range only its own rows are counted. */
const inRange = (pattern: RegExp) =>
  new RegExp(pattern.source.replaceAll('12', '(12|2)').replaceAll('11', '(11|1)').replaceAll('13', '(13|3)'));

describeMariadb('rows that were sent, carried and stored are compared', () => {
  test.each(Object.keys(systems))(
    '%s: a row that is lost or repeated fails the table, which keeps its rows',
    async (name) => {
      await using system = await (systems[name] as () => Promise<System>)();
      await copy(system, 7, 'none', { plan: {}, mark: true });
      // An engine takes as long to start as a server takes for all of it.
      const fewer = name === 'duckdb' || name === 's3';
      for (const [how, load] of Object.entries(loads)) {
        if (fewer && !/^(whole|in ranges|merged in full, marking)$/.test(how)) continue;
        // What a load does with the rows is one code for all faults.
        for (const [fault, message] of how === 'whole' && !fewer ? faults : faults.slice(0, 1)) {
          const failing = copy(system, 12, fault, load);
          await expect(failing, `${how}, ${fault}`).rejects.toThrow(inRange(message));
        }
      }
      expect(await idsIn(system)).toEqual(upTo(7));
      expect(await copy(system, 12, 'none', { plan: { ranged: true } })).toBe(12);
      expect(await idsIn(system)).toEqual(upTo(12));
    },
    300_000,
  );

  test('a destination that forgets to compare is caught by the core', async () => {
    await using system = await (systems.postgresql as () => Promise<System>)();
    const { bulkDestination: real } = system.session;
    if (real === undefined) throw new Error('no destination');
    const forgetful: BulkDestination = {
      ...real,
      load: async (output, plan) => {
        const load = await real.load(output, plan);
        return {
          stored: load.stored,
          abort: () => load.abort(),
          discard: () => load.discard(),
          commit: (position) => load.commit(position),
          write: async (rows, format, range) => {
            const written = await load.write(rows, format, range);
            return Object.assign(written, { rows: written.rows - 1 });
          },
        };
      },
    };
    const session = { ...system.session, bulkDestination: forgetful };
    await expect(copy({ ...system, session }, 12, 'none', { plan: {} })).rejects.toMatchObject({
      key: 'rows_differ',
    });
  });
});
