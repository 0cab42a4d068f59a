import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  fileFormats,
  outputOf,
  type Rows,
  type S3Tables,
  startS3Tables,
} from '../../../test/support/s3-tables.ts';

let tables: S3Tables;

beforeAll(async () => {
  tables = await startS3Tables();
});
afterAll(() => tables[Symbol.asyncDispose]());
beforeEach(() => tables.clear());

const own = { syncedAt: 'synced', deletedAt: 'deleted' };

test.each(fileFormats)(
  '%s: a merge replaces rows by key; others stay, are marked or removed',
  async (format) => {
    const output = outputOf({ options: { format }, ...own });
    const rows = (...ids: string[]): Rows => ids.map((id) => [id, `first ${id}`]);
    await tables.load(rows('1', '2'), output, { mode: 'merge' });
    await tables.load(rows('3'), output, { mode: 'merge' });
    const { files: before } = await tables.manifest();
    const merged = await tables.load(
      [
        ['3', 'second'],
        ['4', 'new'],
      ],
      output,
      { mode: 'merge' },
    );
    expect(merged).toEqual({ rows: 2, inserted: 1, updated: 1, changes: [] });
    expect(await tables.table('crm.people', ['id', 'name'])).toEqual([
      ['1', 'first 1'],
      ['2', 'first 2'],
      ['3', 'second'],
      ['4', 'new'],
    ]);
    const { files: after } = await tables.manifest();
    expect(after[0]).toEqual(before[0]);

    const marked = await tables.load(
      [
        ['2', 'again'],
        ['5', null],
      ],
      output,
      { mode: 'merge', missing: 'mark' },
    );
    expect(marked).toEqual({ rows: 2, inserted: 1, updated: 1, deleted: 3, changes: [] });
    const found = await tables.table('crm.people', ['id', 'deleted']);
    expect(found.map(([id, deleted]) => [id, deleted !== null])).toEqual([
      ['1', true],
      ['2', false],
      ['3', true],
      ['4', true],
      ['5', false],
    ]);
    const back = await tables.load(
      [
        ['1', 'back'],
        ['2', 'again'],
      ],
      output,
      { mode: 'merge', missing: 'mark' },
    );
    expect(back).toEqual({ rows: 2, inserted: 0, updated: 2, deleted: 1, changes: [] });
    const removed = await tables.load([['1', 'left']], output, { mode: 'merge', missing: 'remove' });
    expect(removed).toEqual({ rows: 1, inserted: 0, updated: 1, deleted: 4, changes: [] });
    expect(await tables.table('crm.people', ['id', 'name', 'deleted'])).toEqual([['1', 'left', null]]);
  },
);

test('a merge adds and widens columns, and rows keep what only the table has', async () => {
  const types = { id: 'integer', name: 'text', gone: 'numeric(10,2)' };
  await tables.load(
    [
      ['1', 'a', '1.50'],
      ['2', 'b', '2.00'],
    ],
    outputOf({ types }),
  );
  const next = outputOf({
    types: { id: 'bigint', name: 'text', more: 'boolean' },
    options: { format: 'csv' },
  });
  const { changes } = await tables.load(
    [
      ['2', 'B', 't'],
      ['9007199254740993', 'c', null],
    ],
    next,
    { mode: 'merge' },
  );
  expect(changes).toEqual([
    'column id widened from integer to bigint',
    'column gone is not in the source any more: it stays, empty in new rows',
    'column more added as boolean',
  ]);
  expect(await tables.table()).toEqual([
    ['1', 'a', '1.50', null],
    ['2', 'B', '2.00', 't'],
    ['9007199254740993', 'c', null, null],
  ]);
  expect((await tables.manifest()).files.every(({ path }) => path.endsWith('.csv'))).toBe(true);
  await expect(
    tables.load([], outputOf({ types: { id: 'date', name: 'text' } }), { mode: 'merge' }),
  ).rejects.toThrow('column id is bigint in crm.people and date in the source, and neither type holds');
});

test('a merge refuses keys that are not keys, and leaves the table', async () => {
  await tables.load([['1', 'a']], outputOf());
  await expect(
    tables.load(
      [
        ['2', 'b'],
        ['2', 'c'],
      ],
      outputOf(),
      { mode: 'merge' },
    ),
  ).rejects.toThrow('1 rows share the key (id) of crm.people');
  await expect(tables.load([[null, 'b']], outputOf(), { mode: 'merge' })).rejects.toThrow(
    '1 rows have no value in the key',
  );
  expect(await tables.table()).toEqual([['1', 'a']]);
});
