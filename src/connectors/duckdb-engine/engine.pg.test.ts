import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo, outputOf, pair, planOf } from '../../../test/support/bulk-pair.ts';
import { testDatabase } from '../../../test/support/database.ts';
import type { BulkColumn, ValueWarning } from '../contract.ts';
import { bulkDestination } from '../postgresql/bulk-destination.ts';
import { bulkSource } from '../postgresql/bulk-source.ts';
import { type Engine, loadRows, openEngine, tableColumns } from './index.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterAll(() => engine.close());

const linesOf = async (rows: AsyncIterable<Buffer>) => {
  const text = Buffer.concat(await Array.fromAsync(rows)).toString();
  return text.split('\n').slice(0, -1);
};

const rowStream = (text: string) => Readable.from([Buffer.from(text)]);

/** Into a table of DuckDB, and what a read of it gives. */
async function throughDuckDB(
  columns: BulkColumn[],
  rows: Readable,
): Promise<{ rows: number; warnings: ValueWarning[] } & { lines: string[]; types: string[] }> {
  await engine.run(`create or replace table t (${tableColumns(columns)})`);
  const written = await loadRows(engine, columns, rows, (select) => engine.run(`insert into t ${select}`));
  const read = await engine.columns('select * from t');
  return {
    ...written,
    lines: await linesOf(engine.read({ columns: read, from: 't' })),
    types: read.map(({ typeName }) => typeName),
  };
}

/** Values that come back as the same text, by type. */
const exact: Record<string, string[]> = {
  boolean: ['t', 'f'],
  smallint: ['-32768', '32767'],
  integer: ['-2147483648', '0'],
  bigint: ['9223372036854775807', '-9223372036854775808'],
  numeric: [
    'NaN',
    'Infinity',
    '123456789012345678901234567890123456789012345.000',
    '-0.000000000000000000001',
  ],
  'numeric(4,2)': ['-0.01', '99.99', '0'],
  'numeric(3,3)': ['-0.001', '0.999'],
  'numeric(2,-3)': ['99000', '-1000'],
  'numeric(38,0)': ['99999999999999999999999999999999999999', '-1'],
  'numeric(38,18)': ['-12345678901234567890.123456789012345678', '0.000000000000000001', '-0.5'],
  'numeric(38,30)': ['-12345678.123456789012345678901234567890'],
  'numeric(39,0)': ['999999999999999999999999999999999999999'],
  real: [
    '0.1',
    '1e-45',
    '3.4028235e+38',
    '-0',
    'Infinity',
    'NaN',
    '999999',
    '1e+06',
    '16777216',
    '123456.79',
  ],
  'double precision': [
    '0.1',
    '5e-324',
    '1.7976931348623157e308',
    '-0',
    '-Infinity',
    'NaN',
    '1e15',
    '123456789012345.6',
  ],
  money: ['$12.34'],
  text: [
    '',
    ' ',
    '\\N',
    'a\tb\nc\rd\be\ff\vg',
    'back\\slash\\',
    '\\\\n',
    '\ufeffmark',
    '"q"',
    "'",
    'Zoë 🌊',
    '#',
    '\u0001',
  ],
  'character varying(20)': ['x'],
  'character(4)': ['ab'],
  bytea: [String.raw`\x`, String.raw`\x00ff0a5c0d`],
  'bit(3)': ['101'],
  'bit varying': ['1', '0101010101010101010101'],
  date: [
    '2024-02-29',
    '0044-03-15 BC',
    'infinity',
    '-infinity',
    '5874897-12-31',
    '4714-11-24 BC',
    '0001-01-01',
    '12345-06-07',
  ],
  'time without time zone': ['24:00:00', '00:00:00.000001', '12:30:00'],
  'time with time zone': ['12:00:00.5-03', '00:00:00+15:59:59', '24:00:00-05:30'],
  'timestamp without time zone': [
    'infinity',
    '-infinity',
    '4714-11-24 00:00:00 BC',
    '0001-12-31 23:59:59.5 BC',
    '294247-01-10 04:00:54.775806',
    '2024-02-29 23:59:59.999999',
    '9999-12-31 23:59:59.999999',
  ],
  'timestamp with time zone': [
    'infinity',
    '-infinity',
    '4714-11-24 00:00:00+00 BC',
    '1999-12-31 23:59:59.000001+05:30',
    '200000-01-01 00:00:00+00',
  ],
  interval: [
    '1 year -2 mons 3 days 00:00:00.000001',
    '-14 mons +3 days -04:05:06',
    '-178000000 years',
    '00:00:00',
    '2562047788:00:54.775807',
    '-2562047788:00:54.775807',
    '1 mon',
    '-1 mon',
    '1 day',
    '-1 days +01:00:00',
    '100:00:00',
  ],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  json: ['{"a" : 1,  "a":2}', '{"b":1e400,"c":12345678901234567890123456789.10}', '"a\\u0000\\n"', 'null'],
  jsonb: ['{"z":"é","b":1.10}'],
  inet: ['::1/64'],
  int4range: ['[1,10)', 'empty'],
  'integer[]': ['{}', '{1,NULL,-3}'],
  'text[]': ['{"a,b",NULL,"NULL","null","\\"q\\\\\\"","","{}"," ","tab\tnew\nline"}', "{plain,[x],'}", '{}'],
  'numeric(30,2)[]': ['{1.10,-12345678901234567890.20}'],
  'timestamp without time zone[]': ['{"2024-01-01 00:00:00","0044-03-15 00:00:00 BC",infinity}'],
  'bytea[]': [String.raw`{"\\x00ff",NULL}`],
  'int4range[]': ['{"[1,10)",empty}'],
};

/** Fields as PostgreSQL writes them, without the escapes that it does not need. */
const fieldsOf = (lines: string[]) =>
  lines
    .map((line) => line.replaceAll('\\b', '\b').replaceAll('\\f', '\f').replaceAll('\\v', '\v').split('\t'))
    .sort(([a], [b]) => Number(a) - Number(b));

test('every value of PostgreSQL’s types comes back as it went', async () => {
  const both = await pair();
  const types = Object.keys(exact);
  const rows = Math.max(...Object.values(exact).map(({ length }) => length));
  await both.source.query(
    `create table t (id int, ${types.map((type, index) => `v${index} ${type}`).join(', ')});
     insert into t select i from generate_series(0, ${rows}) i`,
  );
  for (const [index, type] of types.entries()) {
    await both.source.query(
      `update t set v${index} = value::${type} from unnest($1::text[]) with ordinality u (value, n) where id = n`,
      [exact[type]],
    );
  }
  const table = await both.from.table('public.t', undefined);
  const sent = fieldsOf(await linesOf(await both.from.read(table, 'copy-text', {})));
  const kept = await throughDuckDB(table.columns, await both.from.read(table, 'copy-text', {}));
  expect(kept).toMatchObject({ rows: rows + 1, warnings: [] });
  const came = fieldsOf(kept.lines);
  for (const [index, type] of types.entries()) {
    const column = (lines: string[][]) => lines.map((fields) => fields[index + 1]);
    expect([type, column(came)]).toEqual([type, column(sent)]);
  }
});

test('floats have the digits that PostgreSQL gives them, whatever their bits', async () => {
  const bits = Buffer.alloc(8 * 20_000);
  for (let at = 0, seed = 1n; at < bits.length; at += 8) {
    seed = BigInt.asUintN(64, seed * 6364136223846793005n + 1442695040888963407n);
    bits.writeBigUInt64LE(seed, at);
  }
  const [doubles, floats] = [new Float64Array(bits.buffer), new Float32Array(bits.buffer)];
  const everywhere = Array.from(
    { length: 20_000 },
    (_, index) => `${(index * 7919 + 1) * 10 ** ((index % 30) - 20)}`,
  );
  const both = await pair('create table t (d double precision, r real)');
  await both.source.query('insert into t select * from unnest($1::float8[], $2::float8[]::float4[])', [
    [...doubles, ...everywhere].map(String),
    [...floats.slice(0, doubles.length), ...everywhere].map(String),
  ]);
  const table = await both.from.table('public.t', undefined);
  const sent = await linesOf(await both.from.read(table, 'copy-text', {}));
  const kept = await throughDuckDB(table.columns, await both.from.read(table, 'copy-text', {}));
  // Equal values: of two texts that mean the same, DuckDB rarely writes the other one.
  const values = (lines: string[]) =>
    lines.map((line) => line.split('\t').map(Number)).map(([d = 0, r = 0]) => `${d} ${Math.fround(r)}`);
  expect(values(kept.lines).sort()).toEqual(values(sent).sort());
  const same = new Set(sent);
  expect(kept.lines.filter((line) => !same.has(line)).length).toBeLessThan(sent.length * 0.001);
});

test('what DuckDB cannot hold changes by a rule that is counted, and nothing beside it', async () => {
  const values: [type: string, value: string, becomes: string, rule: string][] = [
    ['numeric(20,4)', 'NaN', '\\N', 'nan_nulled'],
    ['timestamp without time zone', '294276-12-31 23:59:59.999999', '\\N', 'out_of_range_nulled'],
    ['timestamp with time zone', '294276-12-31 00:00:00+00', '\\N', 'out_of_range_nulled'],
    ['interval', 'infinity', '\\N', 'out_of_range_nulled'],
    ['bit varying', '', '\\N', 'empty_bits_nulled'],
    ['json', '{"a":"\\\\ud83d"}', '\\N', 'json_nulled'],
    ['integer[]', '[0:2]={1,NULL,3}', '{1,NULL,3}', 'array_bounds_dropped'],
    ['integer[]', '{{1,2},{3,4}}', '\\N', 'array_nulled'],
    ['numeric(10,2)[]', '{NaN}', '\\N', 'array_nulled'],
  ];
  const columns = values.map(([type], index) => ({
    name: `c${index}`,
    outputName: `c${index}`,
    type,
    nullable: true,
  }));
  const good = values.map(
    ([type]) => ({ json: '{}', 'integer[]': '{7}', 'numeric(10,2)[]': '{7.00}' })[type],
  );
  const text = `${values.map(() => '\\N').join('\t')}\n${values.map(([, value]) => value).join('\t')}\n`;
  const kept = await throughDuckDB(
    columns,
    rowStream(`${text}${good.map((value) => value ?? '\\N').join('\t')}\n`),
  );
  expect(kept.lines.map((line) => line.split('\t'))).toEqual(
    expect.arrayContaining([
      values.map(() => '\\N'),
      values.map(([, , becomes]) => becomes),
      good.map((value) => value ?? '\\N'),
    ]),
  );
  expect(kept.warnings.toSorted((a, b) => (a.column < b.column ? -1 : 1))).toEqual(
    values.map(([, , , rule], index) => ({ column: `c${index}`, rule, count: 1 })),
  );
});

test('a value that is none of its type fails the load', async () => {
  const columns = [{ name: 'i', outputName: 'i', type: 'integer', nullable: true }];
  await expect(throughDuckDB(columns, rowStream('1\nx\n'))).rejects.toMatchObject({ kind: 'Conversion' });
});

test('lines may be empty, long, many, and cut anywhere', async () => {
  const columns = [{ name: 't', outputName: 't', type: 'text', nullable: true }];
  const lines = [
    '',
    '\\N',
    '\ufeff',
    'x'.repeat(3_000_000),
    ...Array.from({ length: 70 }, (_, i) => `${i} ${'é'.repeat(500_000)}`),
  ];
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 65_537) }, (_, i) =>
    bytes.subarray(i * 65_537, (i + 1) * 65_537),
  );
  const kept = await throughDuckDB(columns, Readable.from(chunks));
  expect(kept.rows).toBe(lines.length);
  expect(kept.lines.sort()).toEqual(lines.sort());
});

test('every type of DuckDB arrives in PostgreSQL as the text that was sent', async () => {
  await engine.run(`create or replace type mood as enum ('so, so', 'it''s');
    create or replace table all_types as select * from test_all_types();
    create or replace table more as select 7 as v0, 8 as e, 'so, so'::mood as mood, 170141183460469231731687303715884105727 as huge,
      {'a': 1.10, 'b': [[1], NULL, []], 'c"': 'tab\\t' || chr(0), 'd': 0.1::float, 'e': 'nan'::double, 'f': NULL::int,
        'g': 12345678901234567.89::decimal(19,2), 'h': true, 'i': '{"x" : 1}'::json, 'j': '\\x00'::blob} as struct,
      map {'k': date '2020-01-01', 'l': NULL} as map, union_value(n := 1) as member, [{'a': 1}, NULL] as structs,
      [[1, 2], [3]] as ragged, [1, NULL]::int[2] as fixed, time_ns '12:00:00.5' as time_ns, 12::bignum as bignum,
      'a' || chr(10) || chr(9) || '\\\\' as text`);
  const destination = await testDatabase();
  const to = bulkDestination(connectTo(destination));
  for (const [name, warnings] of [
    [
      'all_types',
      [
        'date out_of_range_nulled 2',
        'timestamp out_of_range_nulled 1',
        'timestamp_s out_of_range_nulled 1',
        'timestamp_ms out_of_range_nulled 1',
        'timestamp_tz out_of_range_nulled 1',
        'timestamp_ns nanoseconds_dropped 1',
        'varchar nul_removed 1',
      ],
    ],
    ['more', []],
  ] as const) {
    const read = await engine.columns(`select * from ${name}`);
    const columns = read.map(({ name, carrier }) => ({
      name,
      outputName: name,
      type: carrier,
      nullable: true,
    }));
    const table = {
      schemaId: `main.${name}`,
      columns,
      primaryKey: [],
      estimatedRows: 0,
      formats: ['copy-text' as const],
    };
    const sent = engine.read({ columns: read, from: name });
    const lines = await linesOf(engine.read({ columns: read, from: name }));
    const load = await to.load(outputOf(table), planOf());
    await load.write(sent, 'copy-text');
    await load.commit({});
    const from = bulkSource(connectTo(destination));
    const arrived = await from.read(
      await from.table(
        `copy.${name}`,
        read.map(({ name }) => name),
      ),
      'copy-text',
      {},
    );
    const texts = (await linesOf(arrived)).map((line) => line.split('\t'));
    lines.forEach((line, row) => {
      line.split('\t').forEach((value, index) => {
        expect([read[index]?.name, texts[row]?.[index]]).toEqual([read[index]?.name, value]);
      });
    });
    expect(sent.warnings?.map(({ column, rule, count }) => `${column} ${rule} ${count}`)).toEqual(warnings);
  }
});
