import { sql } from 'kysely';
import { type Database, type Session, type Transaction, withSession } from '../db/index.ts';
import { decodePieces } from './plan-pieces.ts';
import { PlannedBatch } from './planned-batch.ts';

/** The table of a plan. Its number is one the database gave. */
export const planTable = (plan: number) => `model_sync_plan_${plan}`;

/** Bytes of records that are read at a time, one piece at least: memory must not depend on how wide they are. */
const bytesAtMost = 8 * 1024 * 1024;
/** Small batches are read several at a time. */
const recordsAtLeast = 5_000;
/** As many as are in it mostly, until it is known. */
const recordsOfPiece = 50;
/** Pieces of records set aside that are read at a time: each may be one record of many megabytes. */
const asideAtMost = 32;

/** Makes an empty plan. Until a checkpoint names it, it means nothing. */
export async function createPlan(session: Session, syncId: string, executionId: string): Promise<number> {
  const [row] = await session.query<{ plan: number }>(
    'insert into model_sync_plans (sync_id, execution_id) values ($1, $2) returning plan',
    [syncId, executionId],
  );
  if (row === undefined) throw new Error('an insert returns its row');
  const table = planTable(row.plan);
  // A page each, as they are: to store them elsewhere in smaller parts takes longer.
  await session.query(
    `create table ${table} (first bigint primary key, records integer not null, lines bytea not null)
       with (autovacuum_enabled = false, toast_tuple_target = 8160);
     alter table ${table} alter column lines set storage external`,
  );
  return row.plan;
}

/** @param pieces as COPY BINARY. */
export async function writePieces(session: Session, plan: number, pieces: Buffer): Promise<void> {
  await session.copyIn(`copy ${planTable(plan)} (first, records, lines) from stdin (format binary)`, [
    pieces,
  ]);
}

export interface Progress {
  delivered: number;
  /** Everything has been: there are no records any more. */
  finished: boolean;
}

export async function progressOf(db: Database, plan: number): Promise<Progress> {
  const row = await db
    .selectFrom('model_sync_plans')
    .select(['delivered', 'finished'])
    .where('plan', '=', plan)
    .executeTakeFirst();
  if (row === undefined) throw new Error(`plan ${plan} is gone`);
  return row;
}

export async function countAfter(db: Database, plan: number, n: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select coalesce(sum(records), 0) as count from ${sql.table(planTable(plan))} where first > ${n}`.execute(
    db,
  );
  const cut = n === 0 ? 0 : (await readHolding(db, plan, n)).after(n).length;
  return cut + (rows[0]?.count ?? 0);
}

interface Reading {
  /** At most. */
  pieces?: number;
  /** After which no piece is begun. */
  bytes?: number;
  /** What was read before, to go with it. */
  rest?: PlannedBatch;
}

/** @param which pieces, in SQL. */
async function readPieces(
  db: Database,
  plan: number,
  which: string,
  { pieces: limit, bytes = Number.POSITIVE_INFINITY, rest }: Reading = {},
): Promise<{ batch: PlannedBatch; pieces: number }> {
  const select = `select lines from ${planTable(plan)} where ${which} order by first limit ${limit ?? 'all'}`;
  return withSession(db, async ({ copyOut }) => {
    const { parts, pieces } = await decodePieces(
      copyOut(`copy (${select}) to stdout (format binary)`),
      bytes,
    );
    const lines = Buffer.concat(rest === undefined ? parts : [rest.lines, ...parts]);
    return { batch: new PlannedBatch(lines), pieces };
  });
}

const holding = (plan: number, n: number) =>
  `(select max(first) from ${planTable(plan)} where first between 1 and ${n})`;

/** The piece in which the n-th record is or, where it has been set aside, would be. */
async function readHolding(db: Database, plan: number, n: number): Promise<PlannedBatch> {
  return (await readPieces(db, plan, `first = ${holding(plan, n)}`)).batch;
}

/**
 * What is planned after the n-th, in batches of `limit`; what comes next is read while the caller works on one. As many
 * pieces are asked for as what was in those before lets expect.
 */
export async function* readAhead(
  db: Database,
  plan: number,
  after: number,
  limit: number,
): AsyncGenerator<PlannedBatch> {
  const atOnce = Math.max(limit, recordsAtLeast);
  const readAfter = (n: number, perPiece: number, rest: PlannedBatch) => {
    const pieces = Math.ceil(atOnce / perPiece);
    return readPieces(db, plan, `first > ${n}`, { pieces, bytes: bytesAtMost - rest.lines.length, rest });
  };
  const begun = after === 0 ? undefined : (await readHolding(db, plan, after)).after(after);
  let next = readAfter(after, recordsOfPiece, begun ?? new PlannedBatch(Buffer.alloc(0)));
  for (;;) {
    const { batch, pieces } = await next;
    let start = 0;
    if (pieces === 0 || batch.lines.length >= bytesAtMost) start = batch.length;
    else start = batch.length - (batch.length % limit);
    if (pieces > 0) {
      next = readAfter(batch.last, batch.length / pieces, batch.slice(start));
      next.catch(() => {});
    }
    for (let at = 0; at < start; at += limit) yield batch.slice(at, Math.min(at + limit, start));
    if (pieces === 0) return;
  }
}

/** Some records after the n-th, each by itself: spread over all of them, other ones each time, and the last one. */
export async function* sampleAfter(
  db: Database,
  plan: number,
  n: number,
  count: number,
): AsyncGenerator<PlannedBatch> {
  const { batch: end } = await readPieces(db, plan, `first = ${holding(plan, Number.MAX_SAFE_INTEGER)}`);
  const step = Math.max((end.last - n) / count, 1);
  let after = n;
  for (let at = n + Math.random() * step; after < end.last; at += step) {
    // The piece may have ended before that place: what is there was set aside.
    const wanted = Math.min(Math.max(Math.ceil(at), after + 1), end.last);
    const batch = await readHolding(db, plan, wanted);
    const found = batch.after(wanted - 1);
    after = wanted;
    if (found.length === 0) continue;
    after = found.first;
    yield found.slice(0, 1);
  }
}

/** A stretch of a plan, both ends included. */
export async function readStretch(
  db: Database,
  plan: number,
  first: number,
  last: number,
): Promise<PlannedBatch> {
  const which = `first between ${holding(plan, first)} and ${last}`;
  const { batch } = await readPieces(db, plan, which);
  return batch.after(first - 1).upTo(last);
}

/**
 * Takes records out that are not to be delivered. Their lines stay, in pieces whose number is below 0.
 *
 * @param ns in their order.
 */
export async function setAside(db: Database, plan: number, ns: AsyncIterable<number[]>): Promise<void> {
  const table = sql.table(planTable(plan));
  for await (const { batch, places } of piecesWith(db, plan, ns)) {
    const aside = new Set(places);
    const lines = (isAside: boolean) =>
      Buffer.concat(
        batch.ends.flatMap((end, place) =>
          aside.has(place) === isAside ? batch.lines.subarray(batch.start(place), end) : [],
        ),
      );
    const left = batch.length - places.length;
    await db.transaction().execute(async (tx) => {
      await sql`delete from ${table} where first = ${batch.first}`.execute(tx);
      await sql`insert into ${table} (first, records, lines)
        select first, records, lines from (values
          (${batch.first}::bigint, ${left}::int, ${lines(false)}::bytea),
          (${-batch.first}, ${places.length}, ${lines(true)})) as pieces (first, records, lines)
        where records > 0`.execute(tx);
    });
  }
}

/** Keys of records that are not to be delivered: those set aside when it was made, and those at the places `ns`. */
export async function* readKeysAside(
  db: Database,
  plan: number,
  ns: readonly number[],
): AsyncGenerator<string[]> {
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const { rows } = await sql<{ first: number; lines: Buffer }>`
      select first, lines from ${sql.table(planTable(plan))} where first > ${after} and first < 0
      order by first limit ${asideAtMost}`.execute(db);
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.first;
    yield rows.flatMap(({ lines }) => {
      const batch = new PlannedBatch(lines);
      return batch.ends.map((_, place) => batch.identity(place).key);
    });
  }
  async function* inOrder() {
    yield [...ns].sort((one, other) => one - other);
  }
  for await (const { batch, places } of piecesWith(db, plan, inOrder())) {
    yield places.map((place) => batch.identity(place).key);
  }
}

/** The pieces in which some records are, and where those are in them. @param ns in their order. */
async function* piecesWith(
  db: Database,
  plan: number,
  ns: AsyncIterable<readonly number[]>,
): AsyncGenerator<{ batch: PlannedBatch; places: number[] }> {
  let batch: PlannedBatch | undefined;
  let places: number[] = [];
  for await (const some of ns) {
    for (const n of some) {
      if (batch === undefined || n > batch.last) {
        if (batch !== undefined) yield { batch, places };
        batch = await readHolding(db, plan, n);
        places = [];
      }
      places.push(batch.placeOf(n));
    }
  }
  if (batch !== undefined) yield { batch, places };
}

export async function advancePlan(tx: Transaction, plan: number, delivered: number): Promise<void> {
  await tx.updateTable('model_sync_plans').set({ delivered }).where('plan', '=', plan).execute();
}

/** The note that it is finished stays until the sync plans again: whoever takes over has to know. */
export async function finishPlan(tx: Transaction, plan: number): Promise<void> {
  await tx.updateTable('model_sync_plans').set({ finished: true }).where('plan', '=', plan).execute();
  await sql`drop table ${sql.table(planTable(plan))}`.execute(tx);
}
