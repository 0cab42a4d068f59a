import type {
  BulkDestination,
  BulkOutput,
  BulkRange,
  Committed,
  LoadPlan,
  Session,
} from '../../src/connectors/contract.ts';
import { EnginePool } from '../../src/connectors/file-formats/engine-pool.ts';
import { bulkDestination } from '../../src/connectors/s3/bulk-destination.ts';
import { type Configuration, placeOf } from '../../src/connectors/s3/configuration.ts';
import { s3 } from '../../src/connectors/s3/index.ts';
import type { Manifest } from '../../src/connectors/s3/manifest.ts';
import { objectStore } from '../../src/connectors/s3/store.ts';
import { createEgress } from '../../src/egress/index.ts';
import { decodeCopyText } from '../../src/lib/copy-text.ts';
import { tempFolder } from '../../src/lib/temp-folder.ts';
import { copyRows } from './copy-rows.ts';
import { startS3, type TestS3 } from './s3.ts';

export type Rows = (string | null)[][];

/** The bulk destination of S3 on a server of its own, and a session that reads what is there. */
export interface S3Tables extends AsyncDisposable {
  server: TestS3;
  session: Session;
  /** @param partSize bytes of a file. */
  destination(partSize?: number): BulkDestination;
  /** Loads rows as a whole. */
  load(rows: Rows, output: BulkOutput, plan?: Partial<LoadPlan>, partSize?: number): Promise<Committed>;
  /** What a reader that follows the manifest sees, by its first column. */
  table(id?: string, columns?: string[]): Promise<Rows>;
  /** Of crm.people. */
  manifest(): Promise<Manifest>;
  /** Takes everything away, misbehaviour included. */
  clear(): Promise<void>;
}

export const fileFormats = ['parquet', 'csv', 'jsonl'] as const;

/** crm.people. */
export function outputOf(more: Partial<BulkOutput> & { types?: Record<string, string> } = {}): BulkOutput {
  const { types = { id: 'bigint', name: 'text' }, ...rest } = more;
  const columns = Object.entries(types).map(([name, type]) => ({
    ...{ name, outputName: name, type, nullable: true },
  }));
  return { origin: undefined, schema: 'crm', name: 'people', columns, primaryKey: ['id'], ...rest };
}

export const planOf = (more: Partial<LoadPlan> = {}): LoadPlan => ({
  executionId: crypto.randomUUID(),
  mode: 'replace',
  truncate: false,
  ranged: false,
  ...more,
});

export const rangeOf = (id: string): BulkRange => ({ id, bounds: {} });

export async function startS3Tables(): Promise<S3Tables> {
  const { signal } = new AbortController();
  const server = await startS3();
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const session = s3.open({ ...server.configuration }, { egress });
  const temp = await tempFolder();
  const engines = new EnginePool(signal, async () => temp.path);
  const place = placeOf(server.configuration as unknown as Configuration);

  const destination: S3Tables['destination'] = (partSize = 1_000_000) => {
    const openStore = (until: AbortSignal) => objectStore(place, { egress, signal: until });
    return bulkDestination({ place, openStore, temp: async () => temp, engines, signal, partSize });
  };
  return {
    server,
    session,
    destination,
    async load(rows, output, plan = {}, partSize) {
      const opened = await destination(partSize).load(output, planOf(plan));
      await opened.write(copyRows(rows), 'copy-text');
      return opened.commit({ at: rows.length });
    },
    async table(id = 'crm.people', columns) {
      const { bulkSource: source } = session;
      const found = await source?.table(id, undefined);
      if (source === undefined || found === undefined) throw new Error('no table');
      const chosen = found.columns.filter(({ name }) => columns === undefined || columns.includes(name));
      const rows = await source.read({ ...found, columns: chosen }, 'copy-text', {});
      return (await Array.fromAsync(decodeCopyText(rows))).flat().sort((a, b) => Number(a[0]) - Number(b[0]));
    },
    manifest: async () => JSON.parse(`${await server.get('crm/people/_manifest.json')}`) as Manifest,
    async clear() {
      server.behave(() => undefined);
      for (const key of await server.keys()) await server.remove(key);
    },
    async [Symbol.asyncDispose]() {
      await session.close();
      await engines.close();
      await temp[Symbol.asyncDispose]();
      await egress.close();
      await server.close();
    },
  };
}
