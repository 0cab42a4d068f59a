import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyTable } from '../../../test/support/copy-table.ts';
import { testDatabase } from '../../../test/support/database.ts';
import { postgresqlConfiguration } from '../../../test/support/http.ts';
import { type Receiver, startReceiver } from '../../../test/support/receiver.ts';
import type { FixedExpression } from '../../conditions/index.ts';
import { createEgress, type Egress } from '../../egress/index.ts';
import { type ConnectorHarness, describeConnector, records } from '../conformance.ts';
import type { Session } from '../contract.ts';
import { postgresql } from '../postgresql/index.ts';
import { csv } from './index.ts';

async function harness(): Promise<ConnectorHarness> {
  const receiver = await startReceiver();
  const names = new Map<string, string>(records.map(({ id, name }) => [id, name]));
  const quoted = (text: string | null) => (text === null ? '' : `"${text.replaceAll('"', '""')}"`);
  receiver.behave(({ url }) =>
    url === '/people.csv'
      ? {
          status: 200,
          body: `id,name,note\n${records
            .map(({ id, note }) => `${id},${quoted(names.get(id) ?? null)},${quoted(note)}\n`)
            .join('')}`,
        }
      : 404,
  );
  return {
    configuration: { url: `${receiver.url}/people.csv` },
    broken: { url: `${receiver.url}/nothing.csv` },
    source: {
      schemaId: 'people',
      keyless: true,
      model: { table: 'people' },
      nothing: { table: 'other' },
      rename: async (id, name) => void names.set(id, name),
    },
    close: () => receiver.close(),
  };
}

describeConnector(csv, { source: true, modes: [], transactional: false }, harness);

let receiver: Receiver;
let egress: Egress;
let session: Session;

beforeEach(async () => {
  receiver = await startReceiver();
  egress = createEgress({ allow: ['127.0.0.1/32'] });
  session = csv.open({ url: `${receiver.url}/some.data.csv?x=1` }, { egress });
});
afterEach(async () => {
  await session.close();
  await egress.close();
  await receiver.close();
});

async function replicated(body: string) {
  receiver.behave(() => ({ status: 200, body }));
  const database = await testDatabase();
  const destination = postgresql.open(
    { ...postgresqlConfiguration(database.url), client_certs: false },
    { egress },
  );
  const copied = await copyTable(session, destination, 'some_data');
  await destination.close();
  const rows = await database.query('select row(t.*)::text as row from copy.some_data t');
  const types = await database.query<{ type: string }>(
    `select format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = 'copy.some_data'::regclass and attnum > 0 order by attnum`,
  );
  return { ...copied, values: rows.map(({ row }) => row), types: types.map(({ type }) => type) };
}

test('a file arrives in PostgreSQL, every value as it was', async () => {
  const copied = await replicated(
    [
      'big,code,price,when,day,flag,text,sum\r\n',
      '9007199254740993,007,1.10,2024-02-29T23:59:59.123456Z,2024-02-29,true,"a, ""b""\n\\N\t💥",123456789012345678901234567890.5\r\n',
      '-9223372036854775808,7,1e-05,2024-01-01 00:00:00+05:30,,FALSE,"",-0.00000000000000000001\r\n',
      ',,,,,,,\r\n',
    ].join(''),
  );
  expect(copied.types).toEqual([
    'bigint',
    'text',
    'numeric',
    'timestamp with time zone',
    'date',
    'boolean',
    'text',
    'numeric',
  ]);
  expect(copied.rows).toBe(3);
  expect(copied.values[0]).toMatch(
    /^\(9007199254740993,007,1\.10,"[^"]+",2024-02-29,t,"a, ""b""\n\\\\N\t💥",123456789012345678901234567890\.5\)$/,
  );
  expect(copied.values[1]).toMatch(
    /^\(-9223372036854775808,7,0\.00001,"[^"]+",,f,"",-0\.00000000000000000001\)$/,
  );
  expect(copied.values[2]).toBe('(,,,,,,,)');
});

test('JSON lines arrive, and what had to be changed is counted', async () => {
  const copied = await replicated(
    '{"id":18446744073709551615,"o":{"a":1e400},"t":"\\u0000x"}\n{"id":1.25,"new":"007"}',
  );
  expect(copied.types).toEqual(['numeric', 'json', 'text', 'text']);
  expect(copied.values).toEqual(['(18446744073709551615,"{""a"":1e400}",x,)', '(1.25,,,007)']);
  expect(copied.warnings).toEqual([{ column: 't', rule: 'nul_removed', count: 1 }]);
});

test('an obfuscated value is the digest of what would have travelled', async () => {
  receiver.behave(() => ({ status: 200, body: 'id,flag,name\n1,TRUE,\n' }));
  const { bulkSource: source } = session;
  const table = await source?.table('some_data', undefined);
  if (table === undefined) throw new Error('no table');
  const columns = table.columns.map((column) =>
    column.name === 'id' ? column : { ...column, obfuscated: true, type: 'text' },
  );
  const rows = await source?.read({ ...table, columns }, 'copy-text', { salt: 'pepper' });
  // SHA-256 of pepper and t.
  expect(`${Buffer.concat(await Array.fromAsync(rows ?? []))}`).toBe(
    '1\t4ea290281dd5bd06bf493825772b06a6b32c06769e9bfd34f003c180fda74635\t\\N\n',
  );
});

test('a file that changes under way is read as it was when it was looked at', async () => {
  let version = 0;
  receiver.behave(() => ({ status: 200, body: `id\n${version}\n`, headers: { etag: `"${version}"` } }));
  const { bulkSource: source } = session;
  const table = await source?.table('some_data', undefined);
  version++;
  if (table === undefined) throw new Error('no table');
  const read = async () => {
    const rows = await source?.read(table, 'copy-text', {});
    return `${Buffer.concat(await Array.fromAsync(rows ?? []))}`;
  };
  expect(await read()).toBe('0\n');
  await source?.table('some_data', undefined);
  expect(await read()).toBe('1\n');
  expect(receiver.requests.length).toBe(2);
});

test('a file that breaks off or is broken fails with words', async () => {
  receiver.behave(() => ({ status: 200, body: 'a,b\n1\n' }));
  await expect(session.catalogue?.schemas()).rejects.toThrow('some.data.csv, line 2: it has 1 fields');
  receiver.behave(() => ({ status: 200, body: '' }));
  await expect(session.catalogue?.schemas()).rejects.toThrow('is empty');
});

test('rows that do not fit a filter are left out, also by fields that are not read', async () => {
  receiver.behave(() => ({
    status: 200,
    body: 'id,name,at,n\n1,"tab\there",2024-01-31,10\n2,,2024-02-01,9\n3,"back\\slash",2024-02-01,\n4,x,2024-03-01,10.50\n',
  }));
  const source = session.bulkSource;
  const read = async (columns: string[], filter: FixedExpression) => {
    const table = await source?.table('some_data', columns);
    if (source === undefined || table === undefined) throw new Error('no source');
    return text(await source.read(table, 'copy-text', { filter }));
  };
  await source?.table('some_data', undefined);
  const condition = (field: string, name: 'GreaterThan' | 'OnOrAfter' | 'Inequality', value: string) =>
    ({ field, function: name, value }) as const;
  expect(await read(['name', 'id'], condition('n', 'GreaterThan', '9.9'))).toBe('1\ttab\\there\n4\tx\n');
  expect(await read(['id'], { not: condition('name', 'Inequality', 'back\\slash') })).toBe('3\n');
  expect(await read(['id', 'n'], condition('n', 'Inequality', '10'))).toBe('2\t9\n3\t\\N\n4\t10.50\n');
  expect(await read(['id'], condition('at', 'OnOrAfter', '2025-01-01'))).toBe('');
  await expect(read(['id'], condition('n', 'OnOrAfter', '1'))).rejects.toThrow(
    'filter on n: OnOrAfter does not suit',
  );
});
