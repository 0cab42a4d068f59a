import { copyRows, type Session } from '../db/index.ts';
import type { Layout } from './join-layout.ts';
import type { Part } from './join-part.ts';
import type { RecordQuery } from './record-source.ts';
import { withStorableKey } from './storable-key.ts';

export interface Joining {
  session: Session;
  parts: readonly Part[];
  query: RecordQuery;
  /** Records of the first part at most: a few, for people to look at. */
  limit?: number;
  signal: AbortSignal | undefined;
}

type Rows = (string | null)[][];

/** Join keys that are kept in memory at most. */
const few = 10_000;

/** Records of a model on their way into a join. */
export const partTable = (place: number) => `pg_temp.part${place}`;

/** Records that nobody could be joined to, since what they are found by could not be had. */
export interface Lost {
  count: number;
  /** Of the first. */
  problem: string;
}

/** Reads a model in one pass. What can be nobody's partner is left out. @returns what should perhaps not have been. */
export async function stagePart(
  joining: Joining,
  place: number,
  part: Part,
  { fields, identity, columns }: Layout,
): Promise<Lost | undefined> {
  const { session, query, limit, signal } = joining;
  const list = columns.map(({ name, type }) => `${name} ${type}`).join(', ');
  await session.query(`create temporary table part${place} (${list})`);
  const isPartner = part.joined === undefined ? undefined : await partnerTest(joining, place, part.joined);
  const at = columns.findIndex(({ name }) => name === 'k');
  const hasKey = columns.some(({ name }) => name === 'record_key');
  let lost: Lost | undefined;

  async function* staged(): AsyncGenerator<Rows> {
    if (limit !== undefined && place === 0) {
      const records = await part.source.sample(fields, limit);
      yield records.map((values) => columns.map((column) => column.of(values, { key: null })));
      return;
    }
    const asked = {
      fields,
      ...(identity === undefined ? {} : { identity }),
      ...(query.filter === undefined || place > 0 ? {} : { filter: query.filter }),
    };
    for await (const records of part.source.records(asked)) {
      signal?.throwIfAborted();
      const found = hasKey ? records.map(withStorableKey) : records;
      const rows = found.map((record) => columns.map((column) => column.of(record.values, record)));
      if (isPartner === undefined) {
        yield rows;
        continue;
      }
      for (const [index, { problem }] of found.entries()) {
        if (problem === undefined || rows[index]?.[at] !== null) continue;
        lost = { count: (lost?.count ?? 0) + 1, problem: lost?.problem ?? problem };
      }
      yield rows.filter((row) => isPartner(row[at] ?? null));
    }
  }
  await copyRows(session, partTable(place), staged(), (row) => row);
  await session.query(`analyze ${partTable(place)}`);
  return lost;
}

/** Where few partners are looked for, one knows which, and need not stage the others. */
async function partnerTest(
  { session }: Joining,
  place: number,
  { parent }: NonNullable<Part['joined']>,
): Promise<(key: string | null) => boolean> {
  const rows = await session.query<{ key: string }>(
    `select distinct t${place} as key from ${partTable(parent)} where t${place} is not null limit ${few + 1}`,
  );
  if (rows.length > few) return (key) => key !== null;
  const keys = new Set(rows.map(({ key }) => key));
  return (key) => key !== null && keys.has(key);
}
