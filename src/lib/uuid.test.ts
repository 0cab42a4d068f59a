import { expect, test } from 'vitest';
import { isUuid, nameBasedUuid } from './uuid.ts';

test('name-based ids are those of RFC 9562, appendix A.4', () => {
  const dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
  expect(nameBasedUuid(dns, 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
});

test('only whole UUIDs are UUIDs', () => {
  expect(isUuid('2ED6657d-e927-568b-95e1-2665a8aea6a2')).toBe(true);
  expect(['', 'id', '2ed6657d-e927-568b-95e1-2665a8aea6a2x', "2ed6657d'--"].filter(isUuid)).toEqual([]);
});
