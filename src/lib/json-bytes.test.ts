import { expect, test } from 'vitest';
import { ByteWriter } from './byte-writer.ts';
import { encodeCopyText } from './copy-text.ts';
import { jsonWriter } from './json-bytes.ts';
import { jsonText, type TextType } from './pg-text.ts';

const types: TextType[] = [
  { type: 'number', remoteType: 'numeric(12,2)' },
  { type: 'boolean', remoteType: 'boolean' },
  { type: 'datetime', remoteType: 'timestamp with time zone' },
  { type: 'object', remoteType: 'jsonb' },
  { type: 'object', remoteType: 'point' },
  { type: 'array', remoteType: 'text[]' },
  { type: 'string', remoteType: 'text' },
];
const times = [
  '2024-01-31 12:34:56',
  '2024-01-31',
  '12024-01-31 12:34:56+00',
  '2024-01-31 12:34:56.+00',
  '0044-03-15 12:00:00+00 BC',
];
const texts = [
  ...[
    '0',
    '-0',
    '1',
    '-1.50',
    '00',
    '01',
    '1.',
    '.5',
    '-',
    '',
    '1e5',
    '1.2.3',
    'NaN',
    'Infinity',
    '9'.repeat(40),
  ],
  ...['t', 'f', 'true', 'T', '{}', '{"a":"b\\"c\\u00e9","n":[1,null]}', '{1,NULL,"a\\"b"}', '{"a":\n1}'],
  ...times.flatMap((time) =>
    ['', '+00', '.5', '.123456+00', '+01', '+05:30', '+00:19:32'].map((end) => time + end),
  ),
  ...[
    'infinity',
    '-infinity',
    '+00',
    '2024-01-31T12:34:56',
    'xxxx-01-31 12:34:56+00',
    '2024-1-31 12:34:56+00',
  ],
  ...['"', '\\', '\\\\"', 'é€🌊\u2028\u007f', '\u0001\u001f\b\f\n\r\t\v', '\\N', 'a\\nb', 'x'.repeat(100)],
];

test.each(types)('as jsonText says it: $type ($remoteType)', (type) => {
  const write = jsonWriter(type);
  for (const text of texts) {
    const line = Buffer.from(encodeCopyText([['<', text, '>']]));
    const out = new ByteWriter(0);
    expect(write(out, line, 2, line.length - 1), text).toBe(line.length - 3);
    expect(out.written().toString(), text).toBe(jsonText(text, type));
  }
});

test('escapes that only other writers of COPY text use', () => {
  const out = new ByteWriter(0);
  const field = Buffer.from('\\x41\\102\\v\n');
  for (const type of types) jsonWriter(type)(out, field, 0, field.length - 1);
  const string = '"AB\\u000b"';
  expect(out.written().toString()).toBe([string, string, string, 'AB\v', string, string, string].join(''));
});
