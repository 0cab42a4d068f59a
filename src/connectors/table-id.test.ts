import { expect, test } from 'vitest';
import { splitTableId, tableId } from './table-id.ts';

test('every pair of names has an id of its own, which leads back to it', () => {
  const names = ['a', 'a.b', '"a', '"', '"a".b', 'a"', '.', 'a.', '.a', '""', 'ü 🌊', "o'c"];
  const pairs = names.flatMap((schema) => names.map((table) => [schema, table] as const));
  const ids = pairs.map(([schema, table]) => tableId(schema, table));
  expect(new Set(ids).size).toBe(pairs.length);
  expect(ids.map(splitTableId)).toEqual(pairs);
});

test('plain names stay as they are', () => {
  expect(tableId('public', 'users')).toBe('public.users');
  expect(tableId('public', '2024.01')).toBe('public.2024.01');
  expect(splitTableId('file')).toEqual(['', 'file']);
});
