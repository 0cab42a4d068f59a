import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Expression } from './expression.ts';
import { assignLabels, parseLogic } from './index.ts';
import { labelOf } from './labels.ts';

const conditionOf = (field: string) => ({ field, function: 'IsNull' as const, value: null });
const [a, b, c] = ['a', 'b', 'c'].map(conditionOf);
const labelled = (count: number) =>
  ['a', 'b', 'c', 'd', 'e']
    .slice(0, count)
    .map((field, index) => ({ label: labelOf(index), condition: conditionOf(field) }));
const parse = (text: string, count = 3) => parseLogic(text, labelled(count), 'filter_logic');

test.each([
  ['A and b AND 3', { and: [a, b, c] }],
  ['A OR B AND C', { or: [a, { and: [b, c] }] }],
  ['(a or b) and not c', { and: [{ or: [a, b] }, { not: c }] }],
  ['NOT A AND (B)AND(NOT(NOT C))', { and: [{ not: a }, b, { not: { not: c } }] }],
  ['', { and: [a, b, c] }],
  ['A OR (A AND B) OR\nC', { or: [a, { and: [a, b] }, c] }],
])('%j', (text, expected) => {
  expect(parse(text)).toEqual(expected);
});

test('without conditions there is nothing to say', () => {
  expect(parse('  ', 0)).toBeUndefined();
  expect(parse('', 1)).toEqual(a);
  expect(() => parse('A', 0)).toThrow('character 1: there is no filter A; there are none');
});

test.each([
  ['A AND', 'character 6: the label of a filter, NOT or ( is expected, found the end'],
  ['A B C', 'character 3: AND, OR or the end is expected, found "B"'],
  ['(A AND B OR C', 'character 14: AND, OR or ) is expected, found the end'],
  ['A AND B) AND C', 'character 8: AND, OR or the end is expected, found ")"'],
  ['A AND OR B', 'character 7: the label of a filter, NOT or ( is expected, found "OR"'],
  ['A && B', 'character 3: "&" is no label, AND, OR, NOT or bracket'],
  ['A AND B AND D', 'character 13: there is no filter D; there are A, B, C'],
  ['A AND B AND 4', 'character 13: there is no filter 4'],
  ['A AND B AND 0', 'character 13: there is no filter 0'],
  ['A AND B', 'does not use filter C; name it, or leave the filter out'],
])('%j is refused: %s', (text, message) => {
  expect(() => parse(text)).toThrow(`filter_logic: ${message}`);
});

test('size and depth have bounds', () => {
  expect(() => parse(`${'('.repeat(60)}A`)).toThrow('is nested more than 50 deep');
  expect(() => parse(`${'NOT '.repeat(60)}A`)).toThrow('is nested more than 50 deep');
  expect(() => parse(Array(300).fill('A').join(' OR '))).toThrow('names filters more than 200 times');
  expect(() => parse('A'.repeat(2001))).toThrow('is longer than 2000 characters');
});

test('what is written is what is read, whatever the nesting', () => {
  const { tree } = fc.letrec<{ tree: Expression }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(...labelled(5).map(({ condition }) => condition)),
      fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map((and) => ({ and })),
      fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map((or) => ({ or })),
      tie('tree').map((not) => ({ not })),
    ),
  }));
  const write = (one: Expression): string => {
    if ('and' in one) return `(${one.and.map(write).join(' AND ')})`;
    if ('or' in one) return `(${one.or.map(write).join(' or ')})`;
    return 'not' in one ? `NOT ${write(one.not)}` : one.field;
  };
  const everyLabel = labelled(5).map(({ condition }) => condition);
  fc.assert(
    fc.property(tree, (expression) => {
      const whole = { and: [expression, ...everyLabel] };
      const text = write(whole).slice(1, -1);
      // Brackets around brackets of the same kind are kept, so the tree is the same one.
      if ((text.match(/[a-e](?![a-z])/g) ?? []).length <= 200) expect(parse(text, 5)).toEqual(whole);
    }),
  );
});

test('labels: own ones are kept, the others get the next free letters', () => {
  const place = (index: number) => `filters.${index}`;
  expect(assignLabels([undefined, 'a', undefined, 'AB'], place)).toEqual(['B', 'a', 'C', 'AB']);
  expect(assignLabels(['is_vip', '_2', undefined], place)).toEqual(['is_vip', '_2', 'A']);
  expect([0, 25, 26, 27, 51, 52, 99].map(labelOf)).toEqual(['A', 'Z', 'AA', 'AB', 'AZ', 'BA', 'CV']);
  for (const label of ['not', '1A', '', 'a b', 'x'.repeat(51)]) {
    expect(() => assignLabels([label], place)).toThrow('filters.0.label: starts with a letter or _');
  }
  const twice = ['a', 'a'];
  expect(() => assignLabels(twice, place)).toThrow('filters.1.label: a is the label of another filter');
  expect(assignLabels(twice, place, String)).toEqual(twice);
});

test('a label is found in any case, unless another one is written like that', () => {
  const condition = (field: string) => ({ field, function: 'IsNull', value: null }) as const;
  const labelled = ['a', 'A', 'is_vip'].map((label) => ({ label, condition: condition(label) }));
  expect(parseLogic('A or IS_VIP', labelled.slice(1), 'logic')).toEqual({
    or: [condition('A'), condition('is_vip')],
  });
  expect(parseLogic('a and not A and is_vip', labelled, 'logic')).toEqual({
    and: [condition('a'), { not: condition('A') }, condition('is_vip')],
  });
});
