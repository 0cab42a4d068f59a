import { pipeline } from 'node:stream/promises';
import pg, { type Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { messageOf } from '../../errors.ts';
import { type CopyRow, encodeCopyText } from '../../lib/copy-text.ts';
import { BatchRefused, Contended, type OutgoingRecord, type TargetDefinition } from '../contract.ts';

/** The batch under way: n (place in the batch), the identity as k, and the values as v0, v1, … */
export const staging = 'pg_temp.tidemark_batch';

/** Bytes per message of a COPY: a server may refuse messages that are too long. */
const pieceLength = 256 * 1024;

/** @param types of the identity and the values, without length or precision. */
export function createStaging(key: string | undefined, types: readonly string[]): string {
  const columns = ['n int', `k ${key ?? 'text'}`, ...types.map((type, index) => `v${index} ${type}`)];
  return `create temporary table if not exists tidemark_batch (${columns.join(', ')}) on commit delete rows`;
}

/** Statements that make temporary tables, for one transaction instead of the session. */
export function forTransaction(statements: string): string {
  return statements.replaceAll(/on commit (delete|preserve) rows/g, 'on commit drop');
}

/** Records of a batch as lines of the staging table. */
export function stagedLines(records: readonly OutgoingRecord[]): Buffer {
  return Buffer.from(
    encodeCopyText(records.map(({ key, values }, index): CopyRow => [String(index), key, ...values])),
  );
}

/** Fills the staging table. @param lines of a batch. */
export async function stage(client: Client, lines: Buffer): Promise<void> {
  await copyInto(client, `copy ${staging} from stdin`, lines);
}

/** @returns how many rows there were. */
export async function copyInto(client: Client, statement: string, lines: Buffer): Promise<number> {
  function* pieces() {
    for (let at = 0; at < lines.length; at += pieceLength) yield lines.subarray(at, at + pieceLength);
  }
  const copy = client.query(copyFrom(statement));
  await pipeline(pieces(), copy);
  return copy.rowCount;
}

/**
 * SQLSTATEs that tell of the server: connections (08), memory and disks (53, 58), statements and sessions that were
 * ended (57), and a primary that has become a replica (25006). What else it answers may be about the batch: types,
 * policies and triggers raise codes of any class.
 */
const trouble = /^(08|53|57|58|25006)/;

/** Serialization failures and deadlocks, locks that were not to be had, triggers that say so included. */
const contention = /^(40|55P03)/;

/** The error as it is, or as the batch's. */
export function refusedOr(error: unknown, definition: Names): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  if (contention.test(error.code ?? '')) return new Contended(messageOf(error), { cause: error });
  if (trouble.test(error.code ?? '')) return error;
  // What cannot be read as its column's type is found by COPY, which tells the line, in whatever language.
  const [where = '', line, column = ''] =
    /^COPY .+?, \S+ (\d+)(?:, \S+ ([\s\S]+))?/m.exec(error.where ?? '') ?? [];
  const place = line === undefined ? undefined : Number(line) - 1;
  const field = namesOf(where.startsWith('COPY tidemark_'), definition).find(
    ([name]) => column === name || column.startsWith(`${name}:`),
  )?.[1];
  // What is not staged: the constraint says which column it is over, and its detail the values of the key.
  const named = field ?? (error.code === '23502' ? error.column : undefined);
  const detail = keyed.test(error.code ?? '') && error.detail ? `: ${error.detail}` : '';
  const reason = `${named === undefined ? '' : `${named}: `}${messageOf(error)}${detail}`;
  return new BatchRefused(reason, { cause: error, place, unsure: place === undefined });
}

/** Foreign keys, unique and exclusion constraints. Details of others are whole rows, which the log has anyway. */
const keyed = /^23(503|505|P01)$/;

type Names = Pick<TargetDefinition, 'identity' | 'fields'>;

/** What the columns are called that are copied to, and in the target. */
function namesOf(isStaged: boolean, { identity, fields }: Names): [string, string][] {
  const targets = fields.map(({ target }, index): [string, string] => [
    isStaged ? `v${index}` : target,
    target,
  ]);
  return identity === undefined ? targets : [[isStaged ? 'k' : identity, identity], ...targets];
}
