import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { withSession } from '../db/index.ts';
import { classify, countRecords, invalidKeys, type Scope } from './classify.ts';
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
function expected(staged: readonly Staged[], { mode, baselineApplies, everything, resync }: Scope) {
  const occurrences = Map.groupBy(staged, ({ key }) => key);
  const isValid = ({ key, problem }: Staged) =>
    key !== null && problem === null && occurrences.get(key)?.length === 1;
  const known = new Map(baselineApplies ? baseline.map(({ key, hash }) => [key, hash]) : []);
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

test.each(cases)('every mode, $name: records are what a naive comparison says', async ({ staged }) => {
  const syncId = crypto.randomUUID();
  await withSession(metadata.db, async (session) => {
    await session.query(
      `insert into model_sync_baseline (sync_id, record_key, hash)
       select $1::uuid, key, hash # ${digest} from jsonb_to_recordset($2::jsonb) as r (key text, hash bigint)`,
      [syncId, JSON.stringify(baseline)],
    );
    await session.query(
      `create temporary table staged (record_key text collate "C", hash bigint not null, problem text);
       create temporary table wanted (record_key text collate "C", known boolean)`,
    );
    await session.query(
      `insert into staged select key, hash, problem
       from jsonb_to_recordset($1::jsonb) as r (key text, hash bigint, problem text)`,
      [JSON.stringify(staged)],
    );
    const invalid = await invalidKeys(session, 'staged');
    for (const mode of Object.keys(modeDescriptions) as Scope['mode'][]) {
      for (const bits of numbers(0, 8)) {
        const [baselineApplies, everything, resync] = [1, 2, 4].map((bit) => (bits & bit) > 0);
        const scope = { syncId, mode, baselineApplies, everything, resync, mappingDigest: String(digest) };
        const { wanted, invalid: invalidRecords, ...classes } = expected(staged, scope as Scope);
        expect(countRecords(invalid)).toBe(invalidRecords);
        const classified = (table?: string) =>
          classify(session, 'staged', scope as Scope, { read: staged.length, invalid, wanted: table });
        expect(await classified()).toEqual(classes);
        if (baselineApplies !== true) continue;
        expect(await classified('wanted')).toEqual(classes);
        const rows = await session.query<{ record_key: string }>('delete from wanted returning record_key');
        expect(rows.map(({ record_key }) => record_key).sort()).toEqual(wanted);
      }
    }
  });
});
