import { expect, test } from 'vitest';
import { jsonText } from './pg-text.ts';

const json = (type: string, remoteType: string, text: string | null) => jsonText(text, { type, remoteType });

test('numbers keep every digit; what is no JSON number is a string', () => {
  expect(json('number', 'bigint', '9223372036854775807')).toBe('9223372036854775807');
  expect(json('number', 'numeric(40,10)', '-12345678901234567890.0000000001')).toBe(
    '-12345678901234567890.0000000001',
  );
  expect(json('number', 'double precision', '1e+20')).toBe('1e+20');
  expect(['NaN', 'Infinity', '-Infinity', ''].map((text) => json('number', 'numeric', text))).toEqual([
    '"NaN"',
    '"Infinity"',
    '"-Infinity"',
    '""',
  ]);
});

test('json stays as it is: digits, repeated keys, order', () => {
  expect(json('object', 'json', '{"b": 1.10, "a": 2, "b": 18014398509481982123}')).toBe(
    '{"b": 1.10, "a": 2, "b": 18014398509481982123}',
  );
  expect(json('object', 'STRUCT(a BIGINT)', '{"a":9007199254740993}')).toBe('{"a":9007199254740993}');
  expect(json('object', 'hstore', '"a"=>"1"')).toBe('"\\"a\\"=>\\"1\\""');
});

test('timestamps are RFC 3339 to the microsecond, and never given a zone they do not have', () => {
  const datetime = (text: string) => JSON.parse(json('datetime', 'timestamp with time zone', text));
  expect(datetime('2024-02-29 23:59:59.999999+00')).toBe('2024-02-29T23:59:59.999999Z');
  expect(datetime('2024-02-29 23:59:59+05:30')).toBe('2024-02-29T23:59:59+05:30');
  expect(datetime('2024-02-29 23:59:59-07')).toBe('2024-02-29T23:59:59-07:00');
  expect(datetime('2024-02-29 23:59:59')).toBe('2024-02-29T23:59:59');
  for (const text of [
    'infinity',
    '2024-02-29',
    '0044-03-15 00:00:00+00 BC',
    '1883-01-01 00:00:00-04:56:02',
  ]) {
    expect(datetime(text)).toBe(text);
  }
});

test('arrays, nested, with NULLs, quotes and bounds', () => {
  expect(JSON.parse(json('array', 'text[]', '{"a,b",NULL,"NULL","q\\"\\\\{}",ü,""}'))).toEqual([
    'a,b',
    null,
    'NULL',
    'q"\\{}',
    'ü',
    '',
  ]);
  expect(json('array', 'integer[]', '[0:1]={1,2}')).toBe('[1,2]');
  expect(json('array', 'bigint[]', '{{1,9007199254740993},{NULL,4}}')).toBe(
    '[[1,9007199254740993],[null,4]]',
  );
  expect(json('array', 'boolean[]', '{t,f,NULL}')).toBe('[true,false,null]');
  expect(json('array', 'jsonb[]', '{"{\\"a\\": 1}","null"}')).toBe('[{"a": 1},null]');
  expect(json('array', 'numeric(10,2)[]', '{}')).toBe('[]');
  expect(json('array', 'BIGINT[]', '{9007199254740993,NULL}')).toBe('[9007199254740993,null]');
  expect(json('array', 'BIGINT[][]', '[[9007199254740993],null]')).toBe('[[9007199254740993],null]');
});

test('text of any content, booleans and NULL', () => {
  const text = 'line\nbreak "quoted" \\ 🌊   \u0001';
  expect(JSON.parse(json('string', 'text', text))).toBe(text);
  expect(json('boolean', 'boolean', 't')).toBe('true');
  expect(json('number', 'bigint', null)).toBe('null');
  expect(json('binary', 'bytea', '\\x00ff')).toBe('"\\\\x00ff"');
});
