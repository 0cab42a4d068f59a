import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type CopyRow, decodeCopyText } from '../../lib/copy-text.ts';
import { receive } from './receive.ts';
import { type TextFile, textColumns, textRows } from './text-file.ts';
import { readSettings } from './text-settings.ts';
import { WarningCounts } from './warning-counts.ts';

const many = (row: (n: number) => string, rows = 3000) =>
  Array.from({ length: rows }, (_, n) => row(n)).join('');

async function read(content: string | Buffer, more: Partial<TextFile> = {}, cut = 64 * 1024) {
  const bytes = Buffer.from(content);
  const file: TextFile = {
    name: 'a.csv',
    format: 'csv',
    async *open() {
      for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut);
    },
    ...more,
  };
  const { columns, rows: counted } = await textColumns(file);
  const rows: CopyRow[] = (
    await Array.fromAsync(decodeCopyText(textRows(file, columns, new WarningCounts())))
  ).flat();
  expect(rows.length).toBe(counted);
  return { names: columns.map(({ name }) => name), rows };
}

test.each([
  ['in a late row', many((n) => `${n},"${n === 2500 ? '5\\" pipe' : 'x'}",${n}\n`), 2501],
  ['in the first row', 'id,"5\\" pipe",n\n1,x,2\n', 1],
  ['in the second row', 'id,name,n\n1,"5\\" pipe",2\n', 2],
  ['with semicolons', many((n) => `${n};"${n === 7 ? '5\\" pipe' : 'x,y'}";${n}\n`), 8],
  ['with tabs', many((n) => `${n}\t"${n === 90 ? '5\\" pipe' : 'x'}"\t${n}\n`), 91],
])('a quote that is escaped by a backslash fails with its line: %s', async (_, text, line) => {
  await expect(read(text)).rejects.toThrow(`a.csv, line ${line}: a quoted field goes on`);
  const { names } = await read(text, { escape: '\\' });
  expect(names.length).toBe(3);
});

test('an escape, a quote and a delimiter can be named', async () => {
  expect(await read('a,b\n"5\\" pipe","c:\\\\d"\n"x ""y""",z\n', { escape: '\\' })).toEqual({
    names: ['a', 'b'],
    rows: [
      ['5" pipe', 'c:\\d'],
      ['x "y"', 'z'],
    ],
  });
  expect((await read("a^b\n'1^2'^3\n", { quote: "'", delimiter: '^' })).rows).toEqual([['1^2', '3']]);
  expect((await read('a,b\n5" x,"y"\n', { quote: '' })).rows).toEqual([['5" x', '"y"']]);
  const settings = readSettings({
    delimiter: ['csv_delimiter', 'tab'],
    quote: ['csv_quote', 'none'],
    escape: ['csv_escape', ''],
    encoding: ['csv_encoding', 'latin1'],
  });
  expect(settings).toEqual({ delimiter: '\t', quote: '', escape: undefined, encoding: 'latin1' });
  const refused = { quote: ['q'], escape: ['e'], encoding: ['c'] } as const;
  const given = { quote: [...refused.quote], escape: [...refused.escape], encoding: [...refused.encoding] };
  expect(() => readSettings({ ...given, delimiter: ['csv_delimiter', '||'] } as never)).toThrow(
    'configuration.csv_delimiter: takes one ASCII character',
  );
});

test('lines may end with CR, and rows are as many', async () => {
  const rows = Array.from({ length: 200 }, (_, n) => [String(n), `name ${n}`]);
  for (const end of ['\r', '\n', '\r\n']) {
    for (const last of [end, '']) {
      const text = `id,name${end}${rows.map((row) => row.join(',')).join(end)}${last}`;
      for (const cut of [1, 7, 4096])
        expect(await read(text, {}, cut)).toEqual({ names: ['id', 'name'], rows });
      const skipped = await read(`made by x${end}${end}${text}`, { skipLines: 2 }, 3);
      expect(skipped.rows).toEqual(rows);
    }
  }
  expect((await read('a\rb\r"x\ry"\r')).rows).toEqual([['b'], ['x\ry']]);
  expect((await read('a,b\r\n1,2\n3,4\r\n')).rows).toEqual([
    ['1', '2'],
    ['3', '4'],
  ]);
});

test('UTF-16 is read with a mark and without, and other encodings by their name', async () => {
  const text = 'id,name\n1,Zoë 💥\n2,\n';
  const le = Buffer.from(text, 'utf16le');
  const be = Buffer.from(le).swap16();
  const rows = [
    ['1', 'Zoë 💥'],
    ['2', null],
  ];
  for (const bytes of [le, be, Buffer.from([0xff, 0xfe, ...le]), Buffer.from([0xfe, 0xff, ...be])]) {
    for (const cut of [1, 5, 1000]) expect((await read(bytes, {}, cut)).rows).toEqual(rows);
  }
  await expect(read(Buffer.from([0xff, 0xfe, ...le.subarray(0, -1)]))).rejects.toThrow(
    'a.csv is not utf-16le',
  );
  const latin = Buffer.from('id,name\n1,Zo\xeb\n', 'latin1');
  await expect(read(latin)).rejects.toThrow('a.csv: row 2 is not UTF-8: name the encoding');
  expect((await read(latin, { encoding: 'iso-8859-1' })).rows).toEqual([['1', 'Zoë']]);
  const euro = Buffer.from([...Buffer.from('n\n'), 0x80, 0x0a]);
  expect((await read(euro, { encoding: 'windows-1252' })).rows).toEqual([['€']]);
});

test('no row and no column goes unsaid', async () => {
  await expect(read('a,b\n1,2\n3\n')).rejects.toThrow('line 3: it has 1 fields, where the first line has 2');
  await expect(read('a,b\n1,2,\n')).rejects.toThrow('line 2: it has 3 fields');
  const changing = `id,name\n${many((n) => `${n},x\n`)}${many((n) => `${n},x,y\n`, 10)}`;
  await expect(read(changing)).rejects.toThrow('line 3002: it has 3 fields');
  expect((await read('a,b,\n1,2,\n')).names).toEqual(['a', 'b', 'column_3']);
  expect((await read('id,id,ID\n1,2,3\n')).names).toEqual(['id', 'id_2', 'ID']);
  expect((await read('a,b\n')).rows).toEqual([]);
  // The last row counts, though no line break follows it.
  expect((await read('1,2\n3,4')).rows.length).toBe(2);
  expect((await read('note\nhello, world\nx\n')).rows).toEqual([['hello, world'], ['x']]);
  expect((await read('a,b\n1,x "y" z\n')).rows).toEqual([['1', 'x "y" z']]);
  await expect(read('a,b\n1,"x\n2,y\n')).rejects.toThrow('the quoted field that begins in line 2 never ends');
});

test('a first line of any length shows every column', async () => {
  const names = Array.from({ length: 30_000 }, (_, n) => `column number ${n}`);
  const found = await read(`${names.join(',')}\n${names.map((_, n) => n).join(',')}\n`);
  expect(found.names).toEqual(names);
  expect(found.rows[0]?.at(-1)).toBe('29999');
});

test('gzip is unpacked whole, or fails', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidemark-test-'));
  const received = async (bytes: Buffer) => {
    const file = path.join(folder, 'f');
    await receive(
      (async function* () {
        for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
      })(),
      file,
      { name: 'a.csv.gz' },
    );
    return String(await readFile(file));
  };
  const text = many((n) => `${n},${Math.sin(n)}\n`);
  const zipped = gzipSync(text);
  expect(await received(zipped)).toBe(text);
  expect(await received(Buffer.concat([zipped, zipped]))).toBe(text + text);
  expect(await received(Buffer.concat([zipped, Buffer.alloc(512)]))).toBe(text);
  for (const end of [1, 8, 100, zipped.length - 20]) {
    await expect(received(zipped.subarray(0, -end)), String(end)).rejects.toThrow('a.csv.gz');
    const second = Buffer.concat([zipped, zipped.subarray(0, -end)]);
    await expect(received(second), `second ${end}`).rejects.toThrow('a.csv.gz');
  }
  for (const garbage of ['garbage', 'id,name\n1,x\n', '\x1f']) {
    const bytes = Buffer.concat([zipped, Buffer.from(garbage, 'latin1')]);
    await expect(received(bytes), garbage).rejects.toThrow('a.csv.gz');
  }
});
