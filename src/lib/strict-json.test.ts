import { expect, test } from 'vitest';
import { parseStrictJson, StrictJsonError } from './strict-json.ts';

const [deepest, mostValues] = [64, 50_000];

const read = (text: string | Buffer) =>
  parseStrictJson(Buffer.from(text as string), { depth: deepest, values: mostValues });

function problemOf(text: string | Buffer): unknown {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof StrictJsonError) return error.problem;
    throw error;
  }
}

test('a document is what JSON.parse makes of it, the last of two members of one name included', () => {
  for (const text of ['{"a":[1,{"b":"\\u00e9\\n\\"]["}],"a":2}', '"\\ud83d\\ude00"', 'null', '[]', ' 1e2 ']) {
    expect(read(text)).toEqual(JSON.parse(text));
  }
  expect(read(' \n')).toBeUndefined();
});

test('depth and number of values are refused before anything is made of them', () => {
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  expect(problemOf(deep(deepest))).toBeInstanceOf(Array);
  expect(problemOf(deep(deepest + 1))).toEqual({ kind: 'depth' });
  expect(problemOf('{"a":'.repeat(500_000))).toEqual({ kind: 'depth' });
  expect(problemOf(`[${'0,'.repeat(mostValues - 1)}0]`)).toHaveLength(mostValues);
  expect(problemOf(`[${'0,'.repeat(mostValues)}0]`)).toEqual({ kind: 'values' });
  // What stands in a text counts for nothing.
  expect(read(JSON.stringify({ text: '[{,'.repeat(mostValues) }))).toBeTypeOf('object');
});

test('a text that could not be stored as it came is refused with its place', () => {
  expect(problemOf(Buffer.from([0x22, 0xe4, 0x22]))).toEqual({ kind: 'encoding' });
  expect(problemOf('{"a":{"b":["x","\\uD800"]}}')).toEqual({ kind: 'text', path: ['a', 'b', '1'] });
  expect(problemOf('{"a":{"\\u0000":1}}')).toEqual({ kind: 'text', path: ['a'] });
  expect(problemOf('["\\ude00\\ud83d"]')).toEqual({ kind: 'text', path: ['0'] });
  expect(read('["\\\\u0000"]')).toEqual(['\\u0000']);
});

test('what is no JSON is refused as such', () => {
  for (const text of ['{"a": ', '["unended', '[1]]', '\ufeff{}', '{"a":1}}', '"\\']) {
    expect(problemOf(text)).toMatchObject({ kind: 'syntax' });
  }
});
