import { type KeyAndHash, sampled } from '../connectors/index.ts';
import { type OpenSession, openSession } from '../db/index.ts';
import { decodeCopyText } from '../lib/copy-text.ts';
import { unpack } from '../lib/packed-record.ts';
import { postgresql } from '../lib/sql-quoting.ts';
import type { Part } from './join-part.ts';
import type { Lost } from './join-stage.ts';
import { joinInTables } from './join-tables.ts';
import type { Opening } from './layer.ts';
import type { RecordQuery, RecordSource } from './record-source.ts';
import { relatedName, splitRelatedName } from './related-name.ts';

/**
 * The records of the first part with their partners. The join is made when something is asked for, and kept as long as
 * the same is asked for: keys and records are of one state, and nothing is read twice.
 *
 * @param opened what is closed with it.
 */
export function joinedSource(
  { deps, signal, warn }: Opening,
  parts: readonly Part[],
  opened: AsyncDisposableStack,
): RecordSource {
  const locate = (name: string) => {
    const { modelId, field } = splitRelatedName(name) ?? { field: name };
    return { part: parts.findIndex(({ joined }) => joined?.id === modelId), field };
  };
  let session: OpenSession | undefined;
  let made: string | undefined;
  const end = async (failure?: Error) => {
    const ending = session;
    [session, made] = [undefined, undefined];
    await ending?.close(failure);
  };
  // A join of many records is one long statement: nothing else would end it.
  const abort = () => void end(new Error('aborted')).catch(() => {});
  signal?.addEventListener('abort', abort);
  opened.defer(async () => {
    signal?.removeEventListener('abort', abort);
    await end();
  });

  const join = async (query: RecordQuery, limit?: number): Promise<OpenSession> => {
    signal?.throwIfAborted();
    session ??= await openSession(deps.db);
    const joining = session;
    const asked = JSON.stringify([query, limit]);
    if (made === asked) return joining;
    made = undefined;
    const few = limit === undefined ? {} : { limit };
    const found = await joinInTables({ session: joining, parts, query, signal, ...few }, locate).catch(
      async (error: unknown) => {
        await end(error as Error);
        throw error;
      },
    );
    made = asked;
    for (const [place, { several, lost }] of found.entries()) {
      if (several > 0) await warn?.(severalPartners(parts[place], several));
      if (lost !== undefined) await warn?.(nobodysPartners(parts[place], lost));
    }
    return joining;
  };

  async function* records(
    query: RecordQuery,
    { where = '', limit }: { where?: string; limit?: number } = {},
  ) {
    const { copyOut } = await join(query, limit);
    const list = ['record_key', 'hash', 'problem', ...parts.map((_, place) => `r${place}`)].join(', ');
    const places = placesOf(query.fields.map((name) => locate(name).part));
    const rows = copyOut(`copy (select ${list} from pg_temp.joined${where}) to stdout`);
    for await (const batch of decodeCopyText(limit === undefined ? rows : sampled(rows))) {
      yield batch.map(([key = null, hash, problem = null, ...packed]) => {
        const byPart = packed.map((record) => unpack(record ?? ''));
        const values = places.map(({ part, place }) => byPart[part]?.[place] ?? null);
        return { ...keyAndHash(key, hash, problem), values };
      });
    }
  }

  return {
    fields: async () =>
      parts.flatMap(({ fields, joined }) =>
        joined === undefined
          ? fields
          : fields.map((field) => ({ ...field, name: relatedName(joined.id, field.name), nullable: true })),
      ),
    async sample(fields, limit) {
      const batches = await Array.fromAsync(records({ fields }, { limit }));
      return batches.flat().map(({ values }) => values);
    },
    async *keys(query) {
      const { copyOut } = await join(query);
      const rows = copyOut('copy (select record_key, hash, problem from pg_temp.joined) to stdout');
      for await (const batch of decodeCopyText(rows)) {
        yield batch.map(([key = null, hash, problem = null]) => keyAndHash(key, hash, problem));
      }
    },
    records: (query, keys) =>
      records(query, keys === undefined ? {} : { where: ` where record_key in (${literals(keys)})` }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function keyAndHash(key: string | null, hash: string | null | undefined, problem: string | null): KeyAndHash {
  return { key, hash: hash ?? '0', ...(problem === null ? {} : { problem }) };
}

/** Of the n-th field its part, and its place among the fields of that part. */
function placesOf(parts: readonly number[]): { part: number; place: number }[] {
  return parts.map((part, index) => ({
    part,
    place: parts.slice(0, index).filter((one) => one === part).length,
  }));
}

function literals(keys: readonly string[]): string {
  return keys.length === 0 ? 'null' : keys.map(postgresql.literal).join(', ');
}

function severalPartners(part: Part | undefined, count: number): string {
  const { name = '', identifier = null } = part?.joined ?? {};
  const rule = identifier === null ? 'by its content' : `by ${identifier}`;
  return `${count} records have several partners in model ${name}: of these the smallest ${rule} was taken`;
}

function nobodysPartners(part: Part | undefined, { count, problem }: Lost): string {
  return `${count} records of model ${part?.joined?.name ?? ''} could be nobody's partner: ${problem}`;
}
