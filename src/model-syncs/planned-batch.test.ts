import { expect, test } from 'vitest';
import type { Field, ModelWriter } from '../connectors/index.ts';
import { ByteWriter } from '../lib/byte-writer.ts';
import { encodeCopyText } from '../lib/copy-text.ts';
import { bodyMaker } from './body-maker.ts';
import { Entries } from './entries.ts';
import { outgoingLines } from './outgoing-lines.ts';
import { PlannedBatch } from './planned-batch.ts';
import { recordEntry } from './record-entries.ts';
import { outgoing, type Task } from './task.ts';

const values = [
  '',
  'a',
  null,
  '\\N',
  '"',
  'tab\there',
  'line\n',
  '\x1e',
  '\x1f',
  'é🌊',
  '12.50',
  '2024-01-31 12:34:56+00',
  't',
];
const records = Array.from({ length: 400 }, (_, index) => ({
  n: index * 3 + 1,
  key: index % 50 === 0 ? 'k\t\n\\"\x1f' : `k${index}`,
  hash: String(-index),
  values: [0, 1, 2, 3].map((place) => values[(index * 7 + place * 5 + (index >> 4)) % values.length] ?? null),
}));
const linesOf = (list: typeof records) =>
  Buffer.from(encodeCopyText(list.map(({ n, key, hash, values }) => [String(n), key, hash, ...values])));
const batch = new PlannedBatch(linesOf(records));

const field = (name: string, type: Field['type'], remoteType: string): Field => ({
  name,
  type,
  remoteType,
  nullable: true,
});
const fields = [
  field('id', 'string', 'text'),
  field('amount', 'number', 'numeric'),
  field('at', 'datetime', 'timestamp with time zone'),
  field('fixed', 'string', 'text'),
  field('on', 'boolean', 'boolean'),
  field('gone', 'string', 'text'),
];
const shuffled: Task['places'] = [2, 1, 0, 'always\t"the same"', 3, 9];
const task = (count: number, identity?: string, places = shuffled) =>
  ({
    places: places.slice(0, count),
    names: fields.map(({ name }) => name).slice(0, count),
    identityName: identity ?? 'record',
    target: {
      ...(identity === undefined ? {} : { identity }),
      fields: fields.slice(0, count).map((source) => ({ source, target: source.name, createOnly: false })),
    },
  }) as unknown as Task;

test('records, places and slices of a batch', () => {
  expect(batch.records).toEqual(records);
  expect(records.map((_, index) => batch.identity(index))).toEqual(
    records.map(({ key, hash }) => ({ key, hash })),
  );
  expect([batch.first, batch.last, batch.length]).toEqual([1, 1198, 400]);
  const part = batch.slice(10, 20).slice(2, 99);
  expect(part.records).toEqual(records.slice(12, 20));
  expect(part.n(0)).toBe(records[12]?.n);
  const joined = PlannedBatch.joined([batch.slice(0, 1), batch.slice(1, 7), batch.slice(7)]);
  expect([joined.records, joined.ends]).toEqual([records, batch.ends]);
  expect(part.lines).toEqual(linesOf(records.slice(12, 20)));
});

test('log entries are copied from what was sent, where it has the same members', async () => {
  const one = task(6, 'id');
  const entries = (part: PlannedBatch, places = [...part.ends.keys()]) =>
    new Entries(one).of('upserted', part, places);
  const made = await entries(batch);
  const sentAs = (names: readonly string[], ...parts: PlannedBatch[]) => {
    const write: ObjectBodies['write'] = ({ length, write }, out) => {
      out.text('[');
      for (let index = 0; index < length; index++) write(index, out);
    };
    const makeBody = bodyMaker(one, { names, write, send: async () => [] });
    const bodies = parts.map((part) => makeBody(part));
    return { joined: PlannedBatch.joined(parts), bodies };
  };
  const { joined, bodies } = sentAs(one.names, batch.slice(0, 150), batch.slice(150, 151), batch.slice(151));
  expect(joined.sent.map(({ ends }) => ends.length)).toEqual([150, 1, 249]);
  expect(await entries(joined)).toEqual(made);
  expect(await entries(joined, [7, 8])).toEqual(await entries(batch, [7, 8]));
  for (const body of bodies) body.fill('x');
  expect((await entries(joined)).bytes.toString()).toMatch(/^(,\nx+)+$/);
  expect(sentAs(['other', ...one.names.slice(1)], batch.slice(0)).joined.sent).toEqual([]);
  const { joined: first } = sentAs(one.names, batch.slice(0, 150));
  expect(await entries(PlannedBatch.joined([first, batch.slice(150)]))).toEqual(made);
});

const out = new ByteWriter(0);

type ObjectBodies = Required<ModelWriter>['objects'];

test.each([0, 1, 6])('lines for a writer and log entries are what records make, %i fields', async (count) => {
  for (const one of [task(count), task(count, 'id'), task(count, 'another "one"')]) {
    for (const [part, from] of [
      [batch, 0],
      [batch.slice(50, 60), 50],
    ] as const) {
      const made = outgoing(one, part.records);
      expect((await outgoingLines(one, part, out)).toString()).toBe(
        encodeCopyText(made.map(({ key, values }, index) => [String(index), key, ...values])),
      );
      const odd = [...part.ends.keys()].filter((index) => index % 2 === 1);
      const { bytes, ends } = await new Entries(one).of('updated', part, odd);
      const texts = ends.map((end, index) => bytes.toString('utf8', (ends[index - 1] ?? 0) + 2, end));
      expect(texts).toEqual(
        odd.map((index) => recordEntry(one, records[from + index] ?? part.record(index))),
      );
      expect(JSON.parse(`[${bytes.toString().slice(1)}]`)).toHaveLength(odd.length);
    }
  }
});

test.each([0, 3, 4])('%i values that are sent in the order in which they are planned', async (count) => {
  const one = task(count, 'id', [0, 1, 2, 3]);
  const made = outgoing(one, batch.records);
  expect((await outgoingLines(one, batch, out)).toString()).toBe(
    encodeCopyText(made.map(({ key, values }, index) => [String(index), key, ...values])),
  );
});
