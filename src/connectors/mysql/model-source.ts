import type { Connection } from 'mysql2/promise';
import { compile, mysql } from '../../conditions/index.ts';
import { TidemarkError } from '../../errors.ts';
import { type CopyRow, decodeCopyText } from '../../lib/copy-text.ts';
import { type ModelQuery, type ModelSource, usualLookTimeout } from '../contract.ts';
import { modelMeta } from '../model-meta.ts';
import { readSchemas, sampleRows } from './catalogue.ts';
import { breakOff, type Connect, withConnection } from './client.ts';
import type { Column } from './columns.ts';
import { isServerError } from './errors.ts';
import { hashExpression, hashName } from './model-hash.ts';
import { keyConditions } from './model-keys.ts';
import { describeModel, fieldOf, invalidQuery } from './model-query.ts';
import { identifier } from './quote.ts';
import { SelectedRows, type StreamedColumn } from './row-stream.ts';
import { selected } from './selected.ts';

export function modelSource(
  connect: Connect,
  database: string | undefined,
  lookTimeout = usualLookTimeout,
): ModelSource {
  const look = <Result>(use: (connection: Connection) => Promise<Result>): Promise<Result> =>
    withConnection(
      connect,
      async (connection) => {
        await connection.query('start transaction read only');
        return use(connection).catch((error: unknown) => {
          throw isServerError(error) ? invalidQuery(error, lookTimeout) : error;
        });
      },
      { statementLimit: lookTimeout },
    );
  return {
    meta: (parameters) =>
      look(async (connection) => modelMeta(await readSchemas(connection, database), parameters)),
    fields: (configuration) =>
      look(async (connection) => (await describeModel(connection, configuration)).columns.map(fieldOf)),
    sample: (configuration, fields, limit) =>
      look(async (connection) => {
        const { from, columns } = await describeModel(connection, configuration);
        return sampleRows(connection, chosen(columns, fields), from, limit);
      }),
    async *keys(query) {
      for await (const rows of read(connect, query, false)) {
        yield rows.map(([key = null, hash]) => ({ key, hash: hash ?? '0' }));
      }
    },
    async *records(query, keys) {
      const wanted = keys === undefined ? undefined : new Set(keys);
      for await (const rows of read(connect, query, true, keys)) {
        const records = rows.map(([key = null, hash, ...values]) => ({ key, hash: hash ?? '0', values }));
        // The server compares as its collations do: it may give more than was asked for.
        yield wanted === undefined ? records : records.filter(({ key }) => key !== null && wanted.has(key));
      }
    },
  };
}

/** Key, hash and, where they are wanted, the fields, in one read-only snapshot. Leaving the loop ends the read. */
async function* read(
  connect: Connect,
  query: ModelQuery,
  withFields: boolean,
  keys?: readonly string[],
): AsyncGenerator<CopyRow[]> {
  const connection = await connect({ recycles: true });
  try {
    await connection.query('start transaction with consistent snapshot, read only');
    const { from, columns } = await describeModel(connection, query.configuration);
    const fields = chosen(columns, query.fields);
    const identity = query.identity === undefined ? undefined : chosen(columns, [query.identity])[0];
    const key = keyOf(identity);
    const values = withFields ? selected(fields) : undefined;
    const rendered = [...key.rendered, ...(values?.rendered ?? [])];
    const list = [key.list, ...(values === undefined || fields.length === 0 ? [] : [values.list])].join(', ');
    const filter =
      query.filter === undefined ? '' : ` where ${compile(query.filter, columns.map(fieldOf), mysql)}`;
    const hash = `${hashExpression(chosen(columns, query.hashed ?? query.fields))} as ${identifier(hashName)}`;
    const hashed = `(select model.*, ${hash} from ${from}${filter}) as hashed`;
    for (const where of keyConditions(identity, keys)) {
      const rows = new SelectedRows(connection, `select ${list} from ${hashed}${where}`, rendered);
      yield* decodeCopyText(rows);
      query.warned?.(rows.warnings);
    }
  } finally {
    breakOff(connection);
  }
}

/**
 * Without an identity, the second of two equal rows is another record than the first. With one, its NULs are kept:
 * without them it would be another record's, and not found again.
 */
function keyOf(identity: Column | undefined): { list: string; rendered: StreamedColumn[] } {
  const name = identifier(hashName);
  const hash: StreamedColumn = { name: hashName, rendering: 'number' };
  if (identity === undefined) {
    const key = `concat(${name}, '#', row_number() over (partition by ${name}))`;
    return { list: `${key}, ${name}`, rendered: [{ name: 'key', rendering: 'verbatim' }, hash] };
  }
  const { list, rendered } = selected([{ ...identity, charset: null }]);
  const key = rendered.map((column) => ({ ...column, keepsNul: true }));
  return { list: `${list}, ${name}`, rendered: [...key, hash] };
}

/** @throws invalid_query when the model does not have a field any more. */
function chosen(columns: readonly Column[], names: readonly string[]): Column[] {
  return names.map((name) => {
    const column = columns.find((one) => one.name === name);
    if (column !== undefined) return { ...column, charset: null };
    throw new TidemarkError('invalid_query', { reason: `the model has no field ${name} any more` });
  });
}
