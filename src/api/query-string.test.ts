import { expect, test } from 'vitest';
import { parseQueryString } from './query-string.ts';

test('maps and lists in brackets have one form; what is repeated is a list', () => {
  expect(parseQueryString('limit=5&sync_id=a&sync_id=b&type[]=x&type[]=y')).toEqual({
    limit: '5',
    sync_id: ['a', 'b'],
    type: ['x', 'y'],
  });
  expect(
    parseQueryString('params[table]=public.users&params%5Btracking_columns%5D=a&params[tracking_columns]=b'),
  ).toEqual({ params: { table: 'public.users', tracking_columns: ['a', 'b'] } });
  expect(parseQueryString('starting_after=2026-01-01T00%3A00%3A00%2B02%3A00&q=a+b&empty=&flag')).toEqual({
    starting_after: '2026-01-01T00:00:00+02:00',
    q: 'a b',
    empty: '',
    flag: '',
  });
});

test('what is no map stays as it was sent, so that it is told of', () => {
  expect(parseQueryString('a[b][c]=1&[d]=2&e]=3')).toEqual({ 'a[b][c]': '1', '[d]': '2', 'e]': '3' });
  expect(parseQueryString('filters=x&filters[enabled]=true')).toEqual({
    filters: ['x', { enabled: 'true' }],
  });
  expect(parseQueryString('filters[enabled]=true&filters=x')).toEqual({
    filters: [{ enabled: 'true' }, 'x'],
  });
});

test('names of the language are names like others', () => {
  const query = parseQueryString('__proto__[admin]=1&constructor=2&params[__proto__]=3');
  expect(Object.keys(query)).toEqual(['__proto__', 'constructor', 'params']);
  expect(({} as Record<string, unknown>).admin).toBeUndefined();
  expect(Object.keys(query.params as object)).toEqual(['__proto__']);
});
