import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { TidemarkError } from '../../errors.ts';
import { type CopyRow, decodeCopyText } from '../../lib/copy-text.ts';
import { tempFolder } from '../../lib/temp-folder.ts';
import {
  type KeyAndHash,
  type ModelQuery,
  type ModelSource,
  type RowStream,
  usualLookTimeout,
} from '../contract.ts';
import {
  copyLine,
  type Engine,
  identifier,
  literal,
  nulRemoved,
  type ReadColumn,
} from '../duckdb-engine/index.ts';
import { modelMeta } from '../model-meta.ts';
import { sampledRows } from '../sampled.ts';
import { readSchemas } from './catalogue.ts';
import { type Database, withReader } from './database.ts';
import { describeModel, invalidQuery } from './model-query.ts';
import { filterCondition } from './where.ts';

export function modelSource(database: Database, lookTimeout = usualLookTimeout): ModelSource {
  return {
    meta: async (parameters) => modelMeta(await withReader(database, () => [], readSchemas), parameters),
    fields: (configuration) =>
      look(database, lookTimeout, async (engine) => (await describeModel(engine, configuration)).fields),
    sample: (configuration, fields, limit) =>
      look(database, lookTimeout, async (engine) => {
        const { from, columns } = await describeModel(engine, configuration);
        if (engine === undefined) return [];
        const chosen = fields.map((name) => columnOf(columns, name));
        const rows = engine.read({ columns: chosen, from: `${from} limit ${Math.trunc(limit)}` });
        return sampledRows(rows).catch((error: unknown) => Promise.reject(invalidQuery(error)));
      }),
    async *keys(query) {
      for await (const { rows, keyAndHash } of read(database, query, [], (keyed) => keyed, decodeCopyText)) {
        yield rows.map(([key, hash]) => keyAndHash(key, hash));
      }
    },
    async *records(query, keys) {
      if (keys?.length === 0) return;
      const filter = keys === undefined ? '' : ` where key in (${keys.map(literal).join(', ')})`;
      const wanted = (keyed: string) => `(select * from ${keyed}${filter})`;
      for await (const { rows, keyAndHash } of read(database, query, query.fields, wanted, kept)) {
        yield rows.map(([key, hash, ...values]) => ({ ...keyAndHash(key, hash), values }));
      }
    },
  };
}

/** For a limited time. */
async function look<Result>(
  database: Database,
  lookTimeout: number,
  use: (engine: Engine | undefined) => Promise<Result>,
): Promise<Result> {
  const timeout = AbortSignal.timeout(lookTimeout);
  let engine: Engine | undefined;
  try {
    engine = await database.reader('look', { signal: timeout });
    return await use(engine);
  } catch (error) {
    if (!timeout.aborted) throw error;
    const reason = `it takes longer than ${lookTimeout / 1000} seconds`;
    throw new TidemarkError('invalid_query', { reason }, { cause: error });
  } finally {
    await engine?.close();
  }
}

interface Read {
  rows: CopyRow[];
  keyAndHash(key: string | null | undefined, hash: string | null | undefined): KeyAndHash;
}

/** One pass over a model. Leaving the loop ends the read. */
async function* read(
  database: Database,
  query: ModelQuery,
  fields: readonly string[],
  select: (keyed: string) => string,
  decode: (rows: RowStream) => AsyncIterable<CopyRow[]>,
): AsyncGenerator<Read> {
  const engine = await database.reader('read');
  try {
    const { from, fields: all, columns } = await describeModel(engine, query.configuration);
    if (engine === undefined) return;
    const where =
      query.filter === undefined ? '' : ` where ${await filterCondition(engine, from, all, query.filter)}`;
    const keyed = keyedSelect(`${from}${where}`, columns, query);
    const values = fields.map((name, index) => ({ ...columnOf(columns, name), name: `v${index}` }));
    const rows = engine.read({
      columns: [{ ...asKey, name: 'key' }, { ...asText, name: 'hash' }, ...values],
      from: select(`(${keyed})`),
    });
    // It ends with its last row, and so does the lock on the file.
    rows.once('end', () => void engine.close());
    const keyAndHash = keyReader(columns.find(({ name }) => name === query.identity)?.rule);
    for await (const batch of decode(rows)) yield { rows: batch, keyAndHash };
    const nameOf = new Map(values.map(({ name }, index) => [name, fields[index]]));
    query.warned?.(
      (rows.warnings ?? []).map((warning) => ({ ...warning, column: nameOf.get(warning.column) ?? '' })),
    );
  } finally {
    await engine?.close();
  }
}

/**
 * The rows by way of a file: who takes records may take hours for them, and may be about to write to the database
 * that they come from.
 */
async function* kept(rows: RowStream): AsyncGenerator<CopyRow[]> {
  await using folder = await tempFolder();
  const file = folder.file();
  await pipeline(rows, createWriteStream(file, { mode: 0o600 }));
  yield* decodeCopyText(createReadStream(file));
}

const asText: Omit<ReadColumn, 'name'> = {
  carrier: 'text',
  typeName: 'VARCHAR',
  text: (x) => x,
  json: (x) => `to_json(${x})`,
  plain: false,
};

/** What marks a change of the value stays, as does a NUL in a text: an identity that was changed is another record's. */
const asKey = { ...asText, text: (x: string) => `replace(tm_escape(${x}), chr(0), '\\000')`, plain: true };

/** @param rule of the marks in the identity, where they are not the text's own NULs. */
function keyReader(rule: string | undefined): Read['keyAndHash'] {
  return (key = null, hash) => {
    const whole = { key, hash: hash ?? '0' };
    if (rule === undefined || rule === nulRemoved || !key?.includes('\0')) return whole;
    const problem = `the identity cannot be read as it is (${rule})`;
    const rest = key.replaceAll('\0', '');
    return { ...whole, key: rest === '\\N' ? null : rest, problem };
  };
}

/**
 * key, hash, then the fields under names of our own. The hash covers what is hashed as a line of COPY text, which
 * tells NULL from empty and one field from the next; it is computed where the data is, so that unchanged records
 * never travel. (DuckDB's own hash is another one with each version.)
 */
function keyedSelect(
  from: string,
  columns: readonly ReadColumn[],
  { fields, hashed = fields, identity }: ModelQuery,
): string {
  const chosen = fields.map((name) => columnOf(columns, name));
  const line = copyLine(
    hashed.map((name) => columnOf(columns, name)),
    new Map(),
  );
  const hash = `(md5_number_lower(${line})::hugeint - 9223372036854775808)::bigint::varchar as hash`;
  const values = chosen.map(({ name }, index) => `${identifier(name)} as v${index}`);
  if (identity !== undefined) {
    const key = columnOf(columns, identity).text(identifier(identity));
    return `select ${[`${key} as key`, hash, ...values].join(', ')} from ${from}`;
  }
  const names = values.map((_, index) => `v${index}`);
  const key = `hash || '#' || row_number() over (partition by hash) as key`;
  return `select ${[key, 'hash', ...names].join(', ')} from (select ${[hash, ...values].join(', ')} from ${from})`;
}

function columnOf(columns: readonly ReadColumn[], name: string): ReadColumn {
  const column = columns.find((one) => one.name === name);
  if (column !== undefined) return column;
  throw new TidemarkError('invalid_query', { reason: `the model has no field ${name} any more` });
}
