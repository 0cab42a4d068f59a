import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { unreadMembers } from './members.ts';
import { optional } from './optional.ts';

const Field = Type.Object({
  id: Type.String(),
  output_name: Type.Optional(Type.Unknown({ readOnly: true })),
});
const Request = Type.Object({
  name: Type.String(),
  fields: optional(Type.Array(Type.Union([Type.String(), Field]))),
  schedule: optional(Type.Object({ hour: optional(Type.String()) })),
  configuration: Type.Record(Type.String(), Type.Unknown()),
  history: Type.Optional(Type.Unknown({ refused: 'is not built' })),
  search_values: Type.Optional(Type.Unknown({ noEffect: 'the server finds them' })),
});

test('unknown members are found at every depth, once per kind of place', () => {
  const body = {
    name: 'x',
    fields: ['a', { id: 'b', obfuscat: true }, { id: 'c', obfuscat: false }, null],
    schedule: { hour: '1', timezone: 'Europe/Berlin' },
    shedule: {},
    configuration: { anything: { goes: 1 } },
  };
  expect(unreadMembers(Request, body)).toEqual([
    { place: 'fields.1.obfuscat', kind: 'unknown' },
    { place: 'schedule.timezone', kind: 'unknown' },
    { place: 'shedule', kind: 'unknown' },
  ]);
  // Beside the member that it is near to it is no misspelling.
  const { schedule: _, ...without } = body;
  expect(unreadMembers(Request, without)).toContainEqual({
    place: 'shedule',
    kind: 'unknown',
    near: 'schedule',
  });
});

test('known members that are not read are told apart: refused if they say anything, else without effect', () => {
  const unread = (more: object) => unreadMembers(Request, { name: 'x', ...more });
  for (const nothing of [null, false, '', [], {}]) expect(unread({ history: nothing })).toEqual([]);
  expect(unread({ history: true })).toEqual([{ place: 'history', kind: 'refused', reason: 'is not built' }]);
  expect(unread({ search_values: {}, fields: [{ id: 'a', output_name: 'A' }] })).toEqual([
    { place: 'search_values', kind: 'without-effect', reason: 'the server finds them' },
    { place: 'fields.0.output_name', kind: 'without-effect' },
  ]);
});

test('names that objects have by themselves are unknown, and a hostile body is looked at in no time', () => {
  const hostile = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}') as object;
  expect(unreadMembers(Request, hostile).map(({ place }) => place)).toEqual([
    '__proto__',
    'constructor',
    'toString',
  ]);
  const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`schemas${index}`, 0]));
  expect(unreadMembers(Request, wide)).toHaveLength(200);
});
