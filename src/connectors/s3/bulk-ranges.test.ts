import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { copyRows } from '../../../test/support/copy-rows.ts';
import { outputOf, planOf, rangeOf, type S3Tables, startS3Tables } from '../../../test/support/s3-tables.ts';
import type { BulkOutput, TableLoad } from '../contract.ts';

let tables: S3Tables;

beforeAll(async () => {
  tables = await startS3Tables();
});
afterAll(() => tables[Symbol.asyncDispose]());
beforeEach(() => tables.clear());

test('ranges that are stored survive a worker that dies; the next one goes on from them', async () => {
  const plan = planOf({ ranged: true });
  const died: TableLoad = await tables.destination().load(outputOf(), plan);
  await died.write(copyRows([['1', 'a']]), 'copy-text', rangeOf('r/1'));
  tables.server.behave(({ method, key }) =>
    method === 'PUT' && key.includes('/_loads/') ? 'hang' : undefined,
  );
  const cut = expect(
    died.write(copyRows([['2', 'never stored']]), 'copy-text', rangeOf('r/2')),
  ).rejects.toThrow();
  await expect
    .poll(() => tables.server.requests.filter(({ key }) => key.includes('r%2F2')).length)
    .toBeGreaterThan(0);
  await died.abort();
  await cut;
  tables.server.behave(() => undefined);
  const next = await tables.destination().load(outputOf(), plan);
  expect(next.stored).toEqual(new Map([['r/1', 1]]));
  await next.write(
    copyRows([
      ['2', 'b'],
      ['3', 'c'],
    ]),
    'copy-text',
    rangeOf('r/2'),
  );
  await next.commit({});
  expect(await tables.table()).toEqual([
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
  ]);
  const { files } = await tables.manifest();
  expect((await tables.server.keys()).length).toBe(files.length + 1);
  const other = await tables.destination().load(outputOf({ types: { id: 'text', name: 'text' } }), plan);
  expect(other.stored.size).toBe(0);
  await other.discard();
});

test('a worker that was overtaken by another of the same execution leaves what that one committed', async () => {
  const plan = planOf({ ranged: true });
  const stalled = await tables.destination().load(outputOf(), plan);
  await stalled.write(copyRows([['1', 'a']]), 'copy-text', rangeOf('r1'));
  const other = await tables.destination().load(outputOf(), plan);
  expect(other.stored.size).toBe(1);
  await other.write(copyRows([['2', 'b']]), 'copy-text', rangeOf('r2'));
  await other.commit({});
  await expect(stalled.commit({})).rejects.toThrow('Another execution has loaded crm.people meanwhile');
  await stalled.discard();
  expect(await tables.table()).toEqual([
    ['1', 'a'],
    ['2', 'b'],
  ]);
});

test('a worker that has taken over goes on from what is stored, whatever the one before it does', async () => {
  const plan = planOf({ ranged: true });
  const stalled = await tables.destination().load(outputOf(), plan);
  await stalled.write(copyRows([['1', 'a']]), 'copy-text', rangeOf('r1'));
  const other = await tables.destination().load(outputOf(), plan);
  await stalled.discard();
  await other.commit({});
  expect(await tables.table()).toEqual([['1', 'a']]);
});

test('a load whose files are gone is refused, and the old table stays', async () => {
  await tables.load([['1', 'old']], outputOf());
  const plan = planOf();
  const opened = await tables.destination().load(outputOf(), plan);
  await opened.write(copyRows([['1', 'a']]), 'copy-text');
  for (const key of await tables.server.keys(`crm/people/data/${plan.executionId}/`))
    await tables.server.remove(key);
  await expect(opened.commit({})).rejects.toThrow('discarded this one');
  await opened.discard();
  expect(await tables.table()).toEqual([['1', 'old']]);
  expect((await tables.server.keys()).length).toBe(2);
});

test('a worker that dies while it tidies up leaves no ranges whose files are gone', async () => {
  const died = await tables.destination().load(outputOf(), planOf({ ranged: true }));
  await died.write(copyRows([['1', 'a']]), 'copy-text', rangeOf('r1'));
  tables.server.behave(({ method, key }) =>
    method === 'DELETE' && key.includes('/data/') ? 'reset' : undefined,
  );
  await tables.load([['2', 'b']], outputOf());
  expect(await tables.server.keys('crm/people/_loads/')).toEqual([]);
  expect((await tables.server.keys('crm/people/data/')).length).toBe(2);
  tables.server.behave(() => undefined);
  await tables.load([['3', 'c']], outputOf());
  expect((await tables.server.keys()).length).toBe(2);
});

test('stored ranges are used again only for the same values of the same source columns', async () => {
  const plan = planOf({ ranged: true });
  const output = outputOf();
  const [id, name] = output.columns;
  if (id === undefined || name === undefined) throw new Error('no columns');
  const first = await tables.destination().load(output, plan);
  const others: Partial<BulkOutput>[] = [
    { columns: [id, { ...name, obfuscated: true }] },
    { columns: [id, { ...name, name: 'secret' }] },
    { primaryKey: ['name'] },
    { partitionBy: 'name' },
  ];
  for (const more of others) {
    await first.write(copyRows([['1', 'a']]), 'copy-text', rangeOf('r1'));
    expect((await tables.destination().load(output, plan)).stored.size).toBe(1);
    expect((await tables.destination().load(outputOf(more), plan)).stored.size).toBe(0);
    // What did not fit once would be beside the ranges that were read instead.
    expect((await tables.destination().load(output, plan)).stored.size).toBe(0);
  }
  await first.discard();
});
