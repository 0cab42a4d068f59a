import pg, { type Client } from 'pg';
import { TidemarkError } from '../../errors.ts';
import { CopyOut } from '../../lib/pg-copy-out.ts';
import { type ModelQuery, type ModelSource, usualLookTimeout } from '../contract.ts';
import { keysOf, recordsOf } from '../model-lines.ts';
import { modelMeta } from '../model-meta.ts';
import { CopyOutRows } from './bulk-copy-out.ts';
import type { Connect } from './bulk-source.ts';
import { readSchemas, sampleOf } from './catalogue.ts';
import { ChangedValues, RewrittenRows } from './copy-text-values.ts';
import { describeModel, invalidQuery } from './model-query.ts';
import { identifier, literal } from './quote.ts';
import { onlyUtf8 } from './rewrite-text.ts';
import { endWithClient, keepsBytes, readBytes, type TransactionOptions } from './transaction.ts';
import { whereClause } from './where.ts';
import { begun, leave, withReader } from './with-client.ts';

const ownSql: TransactionOptions = { path: 'own' };

/** @param connect for reading gigabytes. */
export function modelSource(connect: Connect, lookTimeout = usualLookTimeout): ModelSource {
  /** In a read-only transaction of limited time. */
  const look = <Result>(use: (client: Client) => Promise<Result>): Promise<Result> =>
    withReader(
      connect,
      'tidemark model',
      (client) =>
        use(client).catch((error: unknown) => {
          if (!(error instanceof pg.DatabaseError)) throw error;
          throw invalidQuery(error, { timeout: lookTimeout });
        }),
      { ...ownSql, statementTimeout: lookTimeout },
    );
  return {
    meta: (parameters) =>
      withReader(
        connect,
        'tidemark model',
        async (client) => modelMeta(await readSchemas(client), parameters),
        { path: 'system' },
      ),
    fields: (configuration) => look(async (client) => (await describeModel(client, configuration)).fields),
    sample: (configuration, fields, limit) =>
      look(async (client) => {
        const relation = await describeModel(client, configuration);
        const list = fields.map(identifier).join(', ');
        const first = `select ${list} from ${relation.from} limit ${Math.trunc(limit)}`;
        return sampleOf(client, first);
      }),
    keys: (query) => keysOf(() => copy(connect, query, (inner) => `select key, hash from (${inner}) k`)),
    records: (query, keys) => {
      const filter = keys === undefined ? '' : ` where key = any (${textArray(keys)})`;
      return recordsOf(() => copy(connect, query, (inner) => `select * from (${inner}) r${filter}`));
    },
  };
}

/** One pass over a model as COPY text, in one read-only snapshot. Leaving the loop ends the read. */
async function* copy(
  connect: Connect,
  query: ModelQuery,
  select: (inner: string) => string,
): AsyncGenerator<Buffer> {
  const client = await begun(connect, 'tidemark model read', 'snapshot', ownSql);
  let left = false;
  try {
    await endWithClient(client);
    const relation = await describeModel(client, query.configuration);
    const asked = [
      ...query.fields,
      ...(query.hashed ?? []),
      ...(query.identity === undefined ? [] : [query.identity]),
    ];
    const missing = asked.find((name) => !relation.fields.some((field) => field.name === name));
    if (missing !== undefined) {
      throw new TidemarkError('invalid_query', { reason: `the model has no field ${missing} any more` });
    }
    const where = await whereClause(client, relation.from, relation.fields, query.filter);
    const inner = keyedSelect(relation.from + where, query);
    const statement = `copy (${select(inner)}) to stdout`;
    if (keepsBytes(client)) {
      await readBytes(client);
      const values = new ChangedValues('invalid_utf8_replaced', ['', '', ...query.fields]);
      yield* new RewrittenRows(client.query(new CopyOutRows(statement, false)), values, onlyUtf8);
      query.warned?.(values.warnings.filter(({ column }) => column !== ''));
      return;
    }
    const rows = client.query(new CopyOut(statement, false));
    for await (const chunk of rows) {
      yield chunk;
      rows.recycle(chunk);
    }
    await client.query('commit');
    left = true;
    await leave(connect, client, ownSql);
  } finally {
    // A read that was left early cannot be asked to stop; its connection is closed under it, which ends it.
    if (!left) client.end().catch(() => {});
  }
}

/**
 * key, hash, then the fields. The hash covers what is hashed as one row, whose text tells NULL from empty and one
 * field from the next; it is computed where the data is, so that unchanged records never travel. Every value becomes text
 * twice, for the hash and for COPY: to cast each once in a subquery took as long, and casts of booleans, `char(n)` and
 * addresses give other text. The hash is over half of what a read costs the source (4.5 us per record of ten
 * fields, 2.0 without); of concat, || and record_send the last takes least, 3.8, and has the numbers of the types in it.
 */
function keyedSelect(from: string, { fields, hashed = fields, identity }: ModelQuery): string {
  const list = fields.map(identifier);
  const row = `pg_catalog.hashtextextended(row(${hashed.map(identifier).join(', ')})::pg_catalog.text, 0)`;
  if (identity !== undefined) {
    return `select ${[`${identifier(identity)}::pg_catalog.text as key`, `${row} as hash`, ...aliases(list)].join(', ')} from ${from}`;
  }
  const rows = `select ${[`${row} as hash`, ...aliases(list)].join(', ')} from ${from}`;
  const values = list.map((_, index) => `v${index}`);
  const key = `pg_catalog.concat(hash, '#', pg_catalog.row_number() over (partition by hash)) as key`;
  return `select ${[key, 'hash', ...values].join(', ')} from (${rows}) h`;
}

/** Names of our own, so that a field called key or hash is just another field. */
function aliases(list: string[]): string[] {
  return list.map((name, index) => `${name} as v${index}`);
}

function textArray(values: readonly string[]): string {
  return `array[${values.map(literal).join(', ')}]::pg_catalog.text[]`;
}
