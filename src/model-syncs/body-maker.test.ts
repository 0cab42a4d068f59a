import { afterAll, expect, test } from 'vitest';
import { startReceiver } from '../../test/support/receiver.ts';
import { connectors, type Field, type ModelWriter, type TargetDefinition } from '../connectors/index.ts';
import { createEgress } from '../egress/index.ts';
import { encodeCopyText } from '../lib/copy-text.ts';
import { PlannedBatch } from './planned-batch.ts';
import { outgoing, type Task } from './task.ts';
import { outgoingBatches } from './write-batch.ts';

const receiver = await startReceiver();
const egress = createEgress({ allow: ['127.0.0.0/8'] });
afterAll(async () => {
  await egress.close();
  await receiver.close();
});

const types: [string, Field['type'], string][] = [
  ['id', 'number', 'bigint'],
  ['$first name', 'string', 'text'],
  ['größe_2', 'number', 'numeric(40,2)'],
  ['at', 'datetime', 'timestamp with time zone'],
  ['data', 'object', 'jsonb'],
  ['point', 'object', 'point'],
  ['list', 'array', 'text[]'],
  ['on', 'boolean', 'boolean'],
  ['"quoted"', 'string', 'text'],
  ['***', 'string', 'text'],
];
const values = [
  null,
  '',
  '\0',
  'NUL \0 within',
  '\x1e',
  'a\x1fb',
  '\x1d["a"]',
  'tab\t, line\n, return\r, \\ and "',
  '\\N',
  '\x01\b\f\v\x7f\u2028',
  'é€🌊',
  'lone \ud83c, \udf0a \x1c',
  'lone \ud83c',
  '9007199254740993',
  '-12345678901234567890123456789.50',
  'NaN',
  '1e5',
  '2024-01-31 12:34:56.789+00',
  '2024-01-31 12:34:56+05:30',
  '0044-03-15 12:00:00+00 BC',
  '{"a":"b\\"c\\u00e9\\u0000","n":[1,null]}',
  '{1,NULL,"a\\"b\t"}',
  '(1,2)',
  't',
  'f',
];
const hashes = ['0', '-1', '7', '9223372036854775807', '-9223372036854775808', '-1234567890123456789'];
const records = Array.from({ length: 3 * values.length }, (_, index) => ({
  n: index + 1,
  key: `k\t${index}\\`,
  hash: hashes[index % hashes.length] ?? '',
  values: types.map((_, place) => values[(index * 7 + place * 11 + (index >> 3)) % values.length] ?? null),
}));
const batch = new PlannedBatch(
  Buffer.from(encodeCopyText(records.map(({ n, key, hash, values }) => [String(n), key, hash, ...values]))),
);

function definition(more: Partial<TargetDefinition>): TargetDefinition {
  return {
    sync: { id: 'id', name: 'a "sync"' },
    object: 'http',
    configuration: {},
    mode: 'updateOrCreate',
    identity: 'record',
    fields: types.map(([name, type, remoteType]) => ({
      source: { name, type, remoteType, nullable: true },
      target: 'record',
      createOnly: false,
    })),
    ...more,
  };
}

/** The body that a way of sending it makes. */
async function bodyOf(target: TargetDefinition, send: (writer: ModelWriter) => Promise<unknown>) {
  const webhook = connectors.find(({ id }) => id === 'webhook');
  const session = webhook?.open({ url: receiver.url, auth_method: 'polytomic_secret' }, { egress });
  const writer = await session?.modelDestination?.writer(target);
  if (writer === undefined) throw new Error('no webhook');
  await send(writer);
  await session?.close();
  return receiver.requests.pop()?.body ?? Buffer.alloc(0);
}

test.each([
  ['as they are', {}, types.map((_, place) => place)],
  [
    'digest and metadata',
    { digest: '-5577006791947779410', configuration: { metadata: { a: 'é' } } },
    [9, 8, 7],
  ],
  ['digest of the lowest bit, a constant', { digest: '1' }, [4, 'always\t"the same" é', 4, 99]],
  ['nothing', { fields: [] }, []],
])('a body is the same from the bytes of a plan and from records: %s', async (_, more, places) => {
  const target = definition({ fields: definition({}).fields.slice(0, places.length), ...more });
  const task = { places, names: [], identityName: 'id', target } as unknown as Task;
  for (const part of [batch, batch.slice(3, 4), batch.slice(20, 50)]) {
    const prepared = async () => {};
    const bytes = await bodyOf(target, async (writer) =>
      (await outgoingBatches(writer, task)(part)).send(prepared),
    );
    const text = await bodyOf(target, (writer) => writer.write(outgoing(task, part.records), prepared));
    expect(bytes.toString()).toBe(text.toString());
    expect(bytes.equals(text)).toBe(true);
    const sent = bytes.toString().matchAll(/{"hash":"([0-9a-f]{16})","fields":{/g);
    const mixed = part.records.map(({ hash }) => BigInt(hash) ^ BigInt(target.digest ?? 0));
    expect(Array.from(sent, ([, hex]) => BigInt.asIntN(64, BigInt(`0x${hex}`)))).toEqual(mixed);
  }
});

test('names are letters, digits and _, hashes sixteen digits', async () => {
  const task = { places: types.map(() => 99), names: [], target: definition({}) } as unknown as Task;
  const body = await bodyOf(task.target, async (writer) =>
    (await outgoingBatches(writer, task)(batch.slice(2, 3))).send(async () => {}),
  );
  const names = ['id', 'firstname', 'größe_2', 'at', 'data', 'point', 'list', 'on', 'quoted', '***'];
  const fields = Object.fromEntries(names.map((name) => [name, null]));
  const object = { id: 'id', name: 'a "sync"', records: [{ hash: '0000000000000007', fields }] };
  expect(body.toString()).toBe(JSON.stringify({ event: 'sync.records', object }));
});
