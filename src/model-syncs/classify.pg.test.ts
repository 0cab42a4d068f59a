import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { withSession } from '../db/index.ts';
import { classify, countRecords, invalidKeys, type Scope, takeInvalid } from './classify.ts';
import { modeDescriptions } from './modes.ts';

let metadata: MetadataDatabase;
beforeAll(async () => {
  metadata = await createMetadataDatabase();
});
afterAll(() => metadata[Symbol.asyncDispose]());

interface Staged {
  key: string | null;
  hash: number;
  problem: string | null;
}

const digest = 77;
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const record = (n: number, hash = n): Staged => ({ key: `k${n}`, hash, problem: null });
/** Of the identities 0 to 99; a third of them has changed since. */
const baseline = numbers(0, 100).map((n) => record(n));
const sound = numbers(50, 150).map((n) => record(n, n % 3 === 0 ? -n : n));
const cases: { name: string; staged: Staged[] }[] = [
  { name: 'sound', staged: sound },
  { name: 'none', staged: [] },
  { name: 'one identity twice', staged: [...sound, record(60)] },
  { name: 'one identity NULL', staged: [...sound, { key: null, hash: 1, problem: null }] },
  { name: 'one not whole', staged: [...sound, { key: 'broken', hash: 1, problem: 'half of it is missing' }] },
  {
    name: 'all of it, many times',
    staged: [
      ...sound,
      ...[60, 60, 61, 140].map((n) => record(n)),
      ...[1, 2, 3].map((hash) => ({ key: null, hash, problem: null })),
      { key: 'k70', hash: 70, problem: 'half of it is missing' },
      { key: 'broken', hash: 1, problem: 'half of it is missing' },
      { key: '', hash: 1, problem: null },
    ],
  },
];

/** What the rules say, record by record. */
function expected(staged: readonly Staged[], { mode, baseline: applying, everything, resync }: Scope) {
  const occurrences = Map.groupBy(staged, ({ key }) => key);
  const isValid = ({ key, problem }: Staged) =>
    key !== null && problem === null && occurrences.get(key)?.length === 1;
  const through = applying?.acknowledged ?? baseline.length;
  const counting = applying === undefined ? [] : baseline.slice(0, through);
  const known = new Map(counting.map(({ key, hash }) => [key, hash]));
  const once = mode === 'create' || mode === 'remove';
  const isSent = ({ key, hash }: Staged) => {
    if (!known.has(key) || resync || (everything && mode !== 'create')) return true;
    return !once && known.get(key) !== hash;
  };
  const valid = staged.filter(isValid);
  const sent = valid.filter(isSent);
  return {
    invalid: staged.length - valid.length,
    inserts: sent.filter(({ key }) => !known.has(key)).length,
    updates: sent.filter(({ key }) => known.has(key)).length,
    unchanged: valid.length - sent.length,
    wanted: sent.map(({ key }) => key).sort(),
  };
}

const table = 'pg_temp.known';
const scopes = (Object.keys(modeDescriptions) as Scope['mode'][]).flatMap((mode) =>
  [undefined, null, 70].flatMap((acknowledged) =>
    numbers(0, 4).map((bits): Scope => {
      const [everything = false, resync = false] = [1, 2].map((bit) => (bits & bit) > 0);
      const known = acknowledged === undefined ? undefined : { table, digest: String(digest), acknowledged };
      return { mode, baseline: known, everything, resync };
    }),
  ),
);

test.each(cases)('every mode, $name: records are what a naive comparison says', async ({ staged }) => {
  await withSession(metadata.db, async (session) => {
    await session.query(
      `create temporary table known (record_key text collate "C" primary key, hash bigint not null, n bigint);
       create temporary table staged (record_key text collate "C", hash bigint not null, n bigint, problem text);
       create temporary table wanted (record_key text collate "C", known boolean)`,
    );
    await session.query(
      `insert into known select key, hash # ${digest}, row_number() over (order by hash)
       from jsonb_to_recordset($1::jsonb) as r (key text, hash bigint)`,
      [JSON.stringify(baseline)],
    );
    await session.query(
      `insert into staged select key, hash, row_number() over (), problem
       from jsonb_to_recordset($1::jsonb) as r (key text, hash bigint, problem text)`,
      [JSON.stringify(staged)],
    );
    const invalid = await invalidKeys(session, 'staged');
    for (const scope of scopes) {
      const { wanted, invalid: invalidRecords, ...classes } = expected(staged, scope);
      expect(countRecords(invalid)).toBe(invalidRecords);
      const classified = (table?: string) =>
        classify(session, 'staged', scope, { read: staged.length, invalid, wanted: table });
      expect(await classified()).toEqual(classes);
      if (scope.baseline === undefined) continue;
      expect(await classified('wanted')).toEqual(classes);
      const rows = await session.query<{ record_key: string }>('delete from wanted returning record_key');
      expect(rows.map(({ record_key }) => record_key).sort()).toEqual(wanted);
    }
    const before = await session.query<{ n: number }>('select n from staged order by n');
    const taken = (await Array.fromAsync(takeInvalid(session, 'staged'))).flat();
    expect(taken).toHaveLength(countRecords(invalid));
    expect(taken).toEqual(taken.toSorted((one, other) => one - other));
    expect(await invalidKeys(session, 'staged')).toEqual([]);
    const left = await session.query<{ n: number }>('select n from staged order by n');
    expect(left).toEqual(before.filter(({ n }) => !taken.includes(n)));
  });
});
