import type { ModelSyncMode } from '../connectors/index.ts';
import type { Session } from '../db/index.ts';

export interface Scope {
  mode: ModelSyncMode;
  /** What the current target has acknowledged. */
  baseline: KnownRecords | undefined;
  /** Send every record, changed or not. */
  everything: boolean;
  /** Even what was created before is offered to be created again. */
  resync: boolean;
}

export interface KnownRecords {
  /** With record_key, hash and n. */
  table: string;
  /** What hashes in it are mixed with. */
  digest: string;
  /** Rows with a larger n do not count. */
  acknowledged: number | null;
}

/** Of the records that can be sent. */
export interface Classes {
  /** Not in the baseline, or in it with another hash; those of them that are to be sent. */
  inserts: number;
  updates: number;
  /** Known and left alone. */
  unchanged: number;
}

/** Whether every record is sent that can be, so that there is nothing to find out first. */
export function sendsAll({ mode, baseline, everything, resync }: Scope): boolean {
  return baseline === undefined || resync || (everything && mode !== 'create');
}

/**
 * What the staged records are, compared with the baseline.
 *
 * @param staged a table with record_key, hash and problem.
 * @param read records in it.
 * @param invalid identities in it that cannot be sent.
 * @param wanted a table for the keys of the records to send, and whether they are known.
 */
export async function classify(
  session: Session,
  staged: string,
  scope: Scope,
  { read, invalid, wanted }: { read: number; invalid: readonly InvalidKey[]; wanted?: string | undefined },
): Promise<Classes> {
  const valid = read - countRecords(invalid);
  const { baseline } = scope;
  if (baseline === undefined) return { inserts: valid, updates: 0, unchanged: 0 };
  const toSend = compared(validOf(staged, invalid), scope, baseline);
  const [sent] = await session.query<{ inserts: number; updates: number }>(
    `${wanted === undefined ? `with sent as (${toSend})` : `with sent as (insert into ${wanted} ${toSend} returning known)`}
     select count(*) filter (where not known) as inserts, count(*) filter (where known) as updates from sent`,
  );
  if (sent === undefined) throw new Error('an aggregate without grouping has one row');
  return { ...sent, unchanged: valid - sent.inserts - sent.updates };
}

/** Done once per record, whatever becomes of its fields. */
function createsOrRemoves(mode: ModelSyncMode): boolean {
  return mode === 'create' || mode === 'remove';
}

export interface InvalidKey {
  key: string | null;
  occurrences: number;
  /** Of the record, or of one of them. */
  problem: string | null;
}

export function countRecords(invalid: readonly InvalidKey[]): number {
  return invalid.reduce((sum, { occurrences }) => sum + occurrences, 0);
}

/** The identities that cannot be sent, and how many records have each. */
export async function invalidKeys(session: Session, staged: string): Promise<InvalidKey[]> {
  return (await allValid(session, staged)) ? [] : groupInvalid(session, staged);
}

/** The same where it is known that there are some. */
export function groupInvalid(session: Session, staged: string): Promise<InvalidKey[]> {
  return session.query<InvalidKey & Record<string, unknown>>(
    `select record_key as key, occurrences, problem from (${grouped(staged)}) staged where not valid order by record_key`,
  );
}

/** Bytes of an identity, as PostgreSQL compresses it, that fit into the index of a baseline. */
const longestKey = 2_600;

/** The identities among them that no baseline can keep, in SQL. */
export const isTooLong = `pg_column_size(record_key) > ${longestKey}`;

/** Makes a record that no baseline could remember one that cannot be sent. */
export async function markTooLong(session: Session, staged: string): Promise<void> {
  await session.query(
    `update ${staged} set problem = format('the identity has %s bytes; up to about ${longestKey} can be remembered',
       octet_length(record_key)) where ${isTooLong} and problem is null`,
  );
}

/** Takes the records that cannot be sent out of a table with n. @returns their n, in order. */
export async function* takeInvalid(session: Session, staged: string): AsyncGenerator<number[]> {
  await session.query(
    `create temporary table taken as with taken as (
       delete from ${staged} where record_key is null or record_key in (
         select record_key from (${grouped(staged)}) staged where not valid)
       returning n)
     select n from taken;
     create index on taken (n)`,
  );
  for (let last = 0; ; ) {
    const rows = await session.query<{ n: number }>(
      `select n from taken where n > $1 order by n limit ${takenAtATime}`,
      [last],
    );
    if (rows.length === 0) return;
    const ns = rows.map(({ n }) => n);
    last = ns.at(-1) ?? last;
    yield ns;
  }
}

const takenAtATime = 10_000;

/**
 * As it mostly is. To sort hashes of the identities takes a third of the time of grouping by them; two identities with
 * one hash only mean that they are grouped after all. A subquery of one column, so that nothing else is sorted with it.
 */
async function allValid(session: Session, staged: string): Promise<boolean> {
  const [row] = await session.query<{ valid: boolean }>(
    `select count(*) = count(distinct identity) as valid from (
       select case when problem is null then hashtextextended(record_key, 0) end as identity
       from ${staged} offset 0) staged`,
  );
  return row?.valid === true;
}

function grouped(staged: string): string {
  return `select record_key, min(hash) as hash, count(*) as occurrences,
      max(problem) as problem, record_key is not null and count(*) = 1 and max(problem) is null as valid
    from ${staged} group by record_key`;
}

/** @param invalid all of them. */
function validOf(staged: string, invalid: readonly InvalidKey[]): string {
  if (invalid.length === 0) return staged;
  return `(select record_key, hash from (${grouped(staged)}) staged where valid)`;
}

/** Which rows of a baseline count. */
export function counting(acknowledged: number | null): string {
  return acknowledged === null ? 'true' : `(baseline.n is null or baseline.n <= ${acknowledged})`;
}

/** Keys of the records to send, and whether they are known. Numbers and names of our own making can be in the text. */
function compared(staged: string, scope: Scope, { table, digest, acknowledged }: KnownRecords): string {
  const wanted = sendsAll(scope)
    ? 'true'
    : createsOrRemoves(scope.mode)
      ? 'baseline.record_key is null'
      : `baseline.hash is distinct from staged.hash # ${digest}::bigint`;
  return `select staged.record_key, baseline.record_key is not null as known
    from ${staged} staged
    left join ${table} baseline on baseline.record_key = staged.record_key and ${counting(acknowledged)}
    where ${wanted}`;
}
