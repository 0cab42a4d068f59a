import { afterAll, beforeAll, expect, test } from 'vitest';
import { startS3, type TestS3 } from '../../../test/support/s3.ts';
import { createEgress, type Egress } from '../../egress/index.ts';
import { type TempFolder, tempFolder } from '../../lib/temp-folder.ts';
import { BatchRefused } from '../contract.ts';
import { EnginePool } from '../file-formats/engine-pool.ts';
import { type Configuration, placeOf } from './configuration.ts';
import { ModelTable } from './model-table.ts';
import { appendWriter } from './model-writer.ts';
import { objectStore } from './store.ts';

let server: TestS3;
let egress: Egress;
let temp: TempFolder;

beforeAll(async () => {
  server = await startS3();
  egress = createEgress({ allow: ['127.0.0.0/8'] });
  temp = await tempFolder();
});
afterAll(async () => {
  await temp[Symbol.asyncDispose]();
  await egress.close();
  await server.close();
});

const { signal } = new AbortController();

/** What comes of a record of a MySQL table with one whole number, written by such engines. */
async function write(engines: EnginePool, value: string): Promise<unknown> {
  const place = placeOf(server.configuration as unknown as Configuration);
  const openStore = (until: AbortSignal) => objectStore(place, { egress, signal: until });
  const context = { place, openStore, temp: async () => temp, engines, signal, partSize: 1_000_000 };
  const source = { name: 'n', type: 'number', remoteType: 'bigint(20)', nullable: true } as const;
  const writer = appendWriter(
    new ModelTable(context, {
      sync: { id: crypto.randomUUID(), name: 'numbers' },
      object: 'files',
      configuration: { name: crypto.randomUUID(), format: 'parquet' },
      mode: 'append',
      fields: [{ source, target: 'record', createOnly: false }],
    }),
  );
  try {
    return await writer.write([{ key: value, hash: value, values: [value] }], async () => {});
  } catch (error) {
    return error;
  } finally {
    await engines.close();
  }
}

test('a value that a file cannot hold is its record’s fault, an engine that cannot write is not', async () => {
  const own = () => new EnginePool(signal, async () => temp.path);
  expect(await write(own(), '7')).toEqual([{ status: 'inserted' }]);
  expect(await write(own(), '9223372036854775808')).toBeInstanceOf(BatchRefused);
  const failure = await write(new EnginePool(signal), '7');
  expect(failure).toMatchObject({ name: 'DuckDBError', kind: 'Permission' });
});
