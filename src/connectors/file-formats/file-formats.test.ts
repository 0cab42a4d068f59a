import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CopyRow, decodeCopyText } from '../../lib/copy-text.ts';
import { wholeRows } from './copy-text-rows.ts';
import { CsvToCopyText } from './csv-to-copy-text.ts';
import { KindGuess } from './guess-kinds.ts';
import { normalizer } from './normal-text.ts';
import { digestOf, projector } from './project-rows.ts';
import { type TextFile, textColumns, textRows } from './text-file.ts';
import { typeOf } from './text-kinds.ts';
import { WarningCounts } from './warning-counts.ts';

/** @param cut bytes a chunk has. */
async function parse(text: string | Buffer, fields?: number, cut = 7, delimiter = ','): Promise<CopyRow[]> {
  const bytes = Buffer.from(text);
  const scan = new CsvToCopyText({
    name: 'a.csv',
    delimiter: delimiter.charCodeAt(0),
    ...(fields === undefined ? {} : { fields }),
  });
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += cut) yield scan.push(bytes.subarray(at, at + cut));
    yield scan.end();
  };
  return (await Array.fromAsync(decodeCopyText(wholeRows(chunks(), 'a.csv')))).flat();
}

test('CSV: NULL is not empty; quotes, line breaks, tabs and backslashes are values', async () => {
  expect(await parse('a,"b"\r\n,""\n"x ""y""\r\n\tz\\N",\\N\n\n q"q ,\rz\r\n')).toEqual([
    ['a', 'b'],
    [null, ''],
    ['x "y"\r\n\tz\\N', '\\N'],
    [' q"q ', '\rz'],
  ]);
  expect(await parse('a\n\nb', 1)).toEqual([['a'], [null], ['b']]);
  expect(await parse('a;b\n"1;";', 2, 1, ';')).toEqual([
    ['a', 'b'],
    ['1;', null],
  ]);
});

test('CSV: any rows come back however they are cut', async () => {
  const value = fc.option(
    fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\t', '\\', 'N', 'é', '💥') }),
  );
  const rows = fc.array(fc.tuple(value, value, value), { maxLength: 8 });
  const quoted = (text: string | null) => (text === null ? '' : `"${text.replaceAll('"', '""')}"`);
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('\n', '\r\n'),
      async (list, cut, end) => {
        const text = list.map((row) => row.map(quoted).join(',')).join(end);
        expect(await parse(text, 3, cut)).toEqual(list);
      },
    ),
    { numRuns: 300 },
  );
});

test('CSV: what is broken is named by its line', async () => {
  await expect(parse('a,b\n1,"x\ny"\n1,2,3\n', 2)).rejects.toThrow(
    'a.csv, line 4: it has 3 fields, where the first line has 2',
  );
  await expect(parse('a\n"x"y\n', 1)).rejects.toThrow(
    'line 2: a quoted field goes on behind its closing quote',
  );
  await expect(parse('a\nb\n"x\n\n', 1)).rejects.toThrow('the quoted field that begins in line 3 never ends');
  await expect(parse(Buffer.from([0x61, 0x0a, 0x62, 0xff, 0x0a]), 1)).rejects.toThrow(
    'a.csv: row 2 is not UTF-8',
  );
});

function typesOf(...values: (string | null)[]): string {
  const guess = new KindGuess(2);
  for (const value of values) guess.push(Buffer.from(`${value ?? '\\N'}\tx\n`));
  return typeOf(guess.possible[0] ?? 0);
}

test('a type is found only where no value could be lost or meant otherwise', () => {
  expect(typesOf('1', '-9223372036854775808', null, '9223372036854775807')).toBe('bigint');
  expect(typesOf('9223372036854775808')).toBe('numeric');
  expect(typesOf('1', '1.50', '123456789012345678901234567890.12345678901234567890')).toBe('numeric');
  expect(typesOf('1e-05', '-1.5E+300')).toBe('numeric');
  expect(typesOf('true', 'False', 'FALSE')).toBe('boolean');
  expect(typesOf('2024-02-29', '0001-01-01')).toBe('date');
  expect(typesOf('2024-02-29T23:59:59.123456', '2024-02-29 00:00')).toBe('timestamp without time zone');
  const zoned = [
    '2024-02-29T23:59:59Z',
    '2024-02-29 23:59:59.5+05:30',
    '2024-02-29 23:59 UTC',
    '2024-02-29 23:59:59-0800',
  ];
  expect(typesOf(...zoned)).toBe('timestamp with time zone');
  const doubtful = [
    ['007'],
    ['1', '007'],
    ['+1'],
    ['-0'],
    ['-0.0'],
    ['1.'],
    ['.5'],
    ['12E4'],
    ['1e5'],
    ['1,5'],
    ['0x1f'],
    ['1_000'],
    [' 1'],
    [''],
    ['NaN'],
    ['t'],
    ['yes'],
    ['1', 'true'],
    ['2023-02-29'],
    ['2024-13-01'],
    ['0000-00-00'],
    ['01/02/2024'],
    ['2024-01-01', '2024-01-01 00:00:00'],
    ['2024-01-01 24:00:00'],
    ['2024-01-01 00:00:60'],
    ['2024-01-01 00:00:00.1234567'],
    ['2024-01-01 00:00:00', '2024-01-01 00:00:00Z'],
    ['2024-1-1'],
    ['12:00:00'],
    ['-'],
    [null],
    ['1'.repeat(1001)],
  ];
  for (const values of doubtful) expect(typesOf(...values), values.join()).toBe('text');
});

test('a value is spelled as PostgreSQL would print it', () => {
  const normal = (type: string, ...texts: string[]) => texts.map((text) => normalizer(type)?.(text) ?? text);
  expect(normal('boolean', 'true', 'TRUE', 'False')).toEqual(['t', 't', 'f']);
  expect(normal('numeric', '1.50', '1e-05', '-1.25E+01', '1.2e+3', '12.5e-1', '0e+10', '1e+0')).toEqual([
    '1.50',
    '0.00001',
    '-12.5',
    '1200',
    '1.25',
    '0',
    '1',
  ]);
  expect(
    normal(
      'timestamp without time zone',
      '2024-01-01T00:00',
      '2024-01-01 01:02:03.120',
      '2024-01-01 01:02:03.000',
    ),
  ).toEqual(['2024-01-01 00:00:00', '2024-01-01 01:02:03.12', '2024-01-01 01:02:03']);
  const zoned = [
    '2024-01-01T00:00:00.5Z',
    '2024-01-01 00:00:00+0530',
    '2024-01-01 00:00-08',
    '2024-01-01 00:00:00 UTC',
  ];
  expect(normal('timestamp with time zone', ...zoned)).toEqual([
    '2024-01-01 00:00:00.5+00',
    '2024-01-01 00:00:00+05:30',
    '2024-01-01 00:00:00-08',
    '2024-01-01 00:00:00+00',
  ]);
});

const fileOf = (content: string | Buffer, more: Partial<TextFile> = {}, cut = 5): TextFile => ({
  name: 'file',
  format: 'csv',
  async *open() {
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut);
  },
  ...more,
});
const columnsOf = async (file: TextFile) =>
  Object.fromEntries((await textColumns(file)).columns.map(({ name, type }) => [name, type]));
async function rowsOf(file: TextFile, warnings = new WarningCounts()): Promise<CopyRow[]> {
  return (
    await Array.fromAsync(decodeCopyText(textRows(file, (await textColumns(file)).columns, warnings)))
  ).flat();
}

test('the delimiter and the header are found', async () => {
  expect(await columnsOf(fileOf('id,name\n1,"a;b;c"\n'))).toEqual({ id: 'bigint', name: 'text' });
  expect(await columnsOf(fileOf('\ufeffid;note\r\n1;"a,b"\r\n2;c'))).toEqual({ id: 'bigint', note: 'text' });
  expect(await columnsOf(fileOf('id\tp\n1\t2.5\n'))).toEqual({ id: 'bigint', p: 'numeric' });
  expect(await columnsOf(fileOf('1|x\n2|y\n'))).toEqual({ column_1: 'bigint', column_2: 'text' });
  expect(await columnsOf(fileOf('a,b\nc,d\n'))).toEqual({ a: 'text', b: 'text' });
  expect(await columnsOf(fileOf('a,b\nc,d\n', { header: false }))).toEqual({
    column_1: 'text',
    column_2: 'text',
  });
  expect(await columnsOf(fileOf('a,a,\n1,2,3\n'))).toEqual({
    a: 'bigint',
    a_2: 'bigint',
    column_3: 'bigint',
  });
  expect(await columnsOf(fileOf('made by x\n\nid,v\n1,2\n', { skipLines: 2 }))).toEqual({
    id: 'bigint',
    v: 'bigint',
  });
  expect(await columnsOf(fileOf('__proto__,constructor\n1,2\n'))).toEqual({
    ['__proto__']: 'bigint',
    constructor: 'bigint',
  });
  expect(await columnsOf(fileOf('name\nx'))).toEqual({ name: 'text' });
  expect(await columnsOf(fileOf(''))).toEqual({});
  await expect(columnsOf(fileOf('"a"x\n'))).rejects.toThrow('file, line 1');
  expect(await rowsOf(fileOf('a,b\n1,\0x\0\n'))).toEqual([['1', 'x']]);
  const warnings = new WarningCounts();
  await rowsOf(fileOf('a,b\n1,\0x\0\n'), warnings);
  expect(warnings.list()).toEqual([{ column: 'b', rule: 'nul_removed', count: 2 }]);
});

test('the beginning of a file is enough to show its columns', async () => {
  expect(await columnsOf(fileOf('id,n\n1,2\n3,"x', { cut: true }))).toEqual({ id: 'bigint', n: 'bigint' });
  expect(await columnsOf(fileOf('{"a":1}\n{"b":', { cut: true, format: 'json' }))).toEqual({ a: 'bigint' });
});

test('JSON: every digit stays; members come and go; what is nested stays as it is written', async () => {
  const lines = [
    '{"id": 9007199254740993, "p": 3.14159265358979323846264338, "s":"007","t":"2024-01-01T00:00:00Z","b":true,"o":{"a" : 1.10, "a":2},"m":1}',
    ' {"id":2,"s":"tab\\t \\u00e9 \\\\N","o":null,"m":"one", "new":[1, "]"]}',
    '{"o":"text","b":false}',
  ];
  const file = (text: string, cut: number) => fileOf(text, { format: 'json' }, cut);
  for (const text of [lines.join('\n'), `[${lines.join(',\n')}]\n`, `${lines.join('')}`]) {
    for (const cut of [1, 2, 7, 10_000]) {
      expect(await columnsOf(file(text, cut))).toEqual({
        id: 'bigint',
        p: 'numeric',
        s: 'text',
        t: 'timestamp with time zone',
        b: 'boolean',
        o: 'json',
        m: 'text',
        new: 'json',
      });
      expect(await rowsOf(file(text, cut))).toEqual([
        [
          '9007199254740993',
          '3.14159265358979323846264338',
          '007',
          '2024-01-01T00:00:00Z',
          'true',
          '{"a" : 1.10, "a":2}',
          '1',
          null,
        ],
        ['2', null, 'tab\t é \\N', null, null, null, 'one', '[1, "]"]'],
        [null, null, null, null, 'false', '"text"', null, null],
      ]);
    }
  }
  const warnings = new WarningCounts();
  await rowsOf(file('{"a":1,"a":2,"b":"\\u0000x\\ud800"}', 9), warnings);
  expect(warnings.list().map(({ column, rule }) => `${column} ${rule}`)).toEqual([
    'a duplicate_member_dropped',
    'b nul_removed',
    'b lone_surrogate_replaced',
  ]);
});

test('JSON: what is broken is named by its object', async () => {
  const broken = [
    '{"a":1}\n{"a":',
    '{"a":01}',
    '{"a":tru}',
    '{a:1}',
    '{"a" 1}',
    '{"a":1 "b":2}',
    '[1]',
    '{"a":[1,}]}',
    '{"a":"\\x"}',
    '{"a":{"b":1}',
  ];
  for (const text of broken) {
    await expect(rowsOf(fileOf(text, { format: 'json' })), text).rejects.toThrow(/^file: object [12] /);
  }
  await expect(rowsOf(fileOf(Buffer.from('{"a":"\xff"}', 'latin1'), { format: 'json' }))).rejects.toThrow(
    'not UTF-8',
  );
});

test('rows are turned into other columns', async () => {
  const rows = Buffer.from('1\t\\N\ta\\tb\n2\tx\ty\n');
  const to = (fields: Parameters<typeof projector>[1]) => `${projector(3, fields)(rows)}`;
  expect(to([{ at: 0 }, { at: 1 }, { at: 2 }])).toBe(`${rows}`);
  expect(to([{ at: 2 }, {}, { constant: 'c' }, { at: 0 }])).toBe('a\\tb\t\\N\tc\t1\ny\t\\N\tc\t2\n');
  expect(to([{ at: 1, change: () => 'long'.repeat(20) }])).toBe(`\\N\n${'long'.repeat(20)}\n`);
  // SHA-256 of "pepper" and a, tab, b.
  expect(digestOf('pepper')('a\\tb')).toBe(
    '1c62d4ad314d514cfd082576ae33d1e9a36f5d604d24e94b35d9850d4cd08527',
  );
});
