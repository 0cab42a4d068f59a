import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonAt, parseJsonPath } from './json-path.ts';

test('a path is names and places, one after the other', () => {
  expect(parseJsonPath('.obj.key')).toEqual(['obj', 'key']);
  expect(parseJsonPath('[0].sku')).toEqual(['0', 'sku']);
  expect(parseJsonPath('.a["b.c\\"]"][12]')).toEqual(['a', 'b.c"]', '12']);
  for (const none of ['', 'obj', '.', '.a..b', '.a[', '.a[x]', '.a["b]', '.a b"', '["\\q"]', '["\n"]']) {
    expect(parseJsonPath(none)).toBeUndefined();
  }
});

test('the value stands as it does in the document', () => {
  const text =
    ' {"n" : 9007199254740993.10, "o":{"b":1, "a": [ {"x":"\\"}"} , null]}, "n":-0.0e1 , "e\\u0301": true}';
  expect(jsonAt(text, ['n'])).toBe('-0.0e1');
  expect(jsonAt(text, ['o'])).toBe('{"b":1, "a": [ {"x":"\\"}"} , null]}');
  expect(jsonAt(text, ['o', 'a', '0', 'x'])).toBe('"\\"}"');
  expect(jsonAt(text, ['o', 'a', '1'])).toBe('null');
  expect(jsonAt(text, ['e\u0301'])).toBe('true');
  for (const path of [['x'], ['o', 'a', '2'], ['o', 'a', '-1'], ['n', 'x'], ['o', '0']]) {
    expect(jsonAt(text, path)).toBeUndefined();
  }
  expect(jsonAt('[]', ['0'])).toBeUndefined();
  expect(jsonAt('{}', ['a'])).toBeUndefined();
});

test('it finds what a parser finds, in any document', () => {
  fc.assert(
    fc.property(fc.json({ depthSize: 'medium' }), fc.nat(3), (text, indent) => {
      const document: unknown = JSON.parse(text);
      const spaced = JSON.stringify(document, null, indent);
      const visit = (value: unknown, path: string[]) => {
        expect(JSON.parse(jsonAt(spaced, path) ?? '')).toEqual(value);
        if (typeof value !== 'object' || value === null) return;
        for (const [name, inner] of Object.entries(value)) visit(inner, [...path, name]);
      };
      visit(document, []);
    }),
  );
});
