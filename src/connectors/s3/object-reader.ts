import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { messageOf, TidemarkError } from '../../errors.ts';
import type { TempFolder } from '../../lib/temp-folder.ts';
import { DuckDBError, literal } from '../duckdb-engine/index.ts';
import { wholeRows } from '../file-formats/copy-text-rows.ts';
import type { EnginePool } from '../file-formats/engine-pool.ts';
import { type CachedFile, FileCache } from '../file-formats/file-cache.ts';
import type { FileColumn } from '../file-formats/file-table.ts';
import { largestFile, receive, tooBig } from '../file-formats/receive.ts';
import { type TextFile, textColumns } from '../file-formats/text-file.ts';
import type { TextSettings } from '../file-formats/text-settings.ts';
import type { PartColumn } from '../file-formats/union-columns.ts';
import type { WarningCounts } from '../file-formats/warning-counts.ts';
import type { FileFormat } from './object-names.ts';
import { fetchFooter } from './parquet-footer.ts';
import { parquetRead } from './parquet-read.ts';
import type { ObjectStore, StoredObject } from './store.ts';

/** How the text files of a connection or model are laid out. */
export interface TextLayout extends Partial<TextSettings> {
  header: boolean;
  skipLines: number;
}

/** Bytes of an object, and of what they unpack to, that show its columns. */
const headSize = 256 * 1024;
const unpackedHead = 1024 * 1024;
/** Objects whose columns are remembered. */
const mostRemembered = 10_000;

export interface Shape {
  columns: PartColumn[];
  rows: number;
}

/** What this process has found in objects, by version and layout: the next execution need not read them for it. */
const remembered = new Map<string, Shape>();

/** Looks into the objects of a bucket; one is fetched whole to this machine before its rows are read. */
export class ObjectReader {
  readonly #store: ObjectStore;
  readonly place: string;
  readonly #temp: () => Promise<TempFolder>;
  readonly #cache: FileCache;
  readonly #engines: EnginePool;

  /** @param place names the bucket among those of all stores. */
  constructor(store: ObjectStore, place: string, temp: () => Promise<TempFolder>, engines: EnginePool) {
    this.#store = store;
    this.place = place;
    this.#temp = temp;
    this.#cache = new FileCache(temp);
    this.#engines = engines;
  }

  /** The columns that every value fits, and the number of rows. */
  async shape(object: StoredObject, format: FileFormat, layout: TextLayout): Promise<Shape> {
    const key = JSON.stringify([this.place, object.key, object.etag, format, layout]);
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const shape = await this.#found(object, format, layout);
    remembered.set(key, shape);
    const [oldest] = remembered.keys();
    if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest);
    return shape;
  }

  async #found(object: StoredObject, format: FileFormat, layout: TextLayout): Promise<Shape> {
    if (format === 'parquet') return this.#parquetShape(object);
    await using file = await this.open(object);
    return textShape(textFile(object.key, file.path, format, layout));
  }

  /** The columns as the object's beginning shows them; of Parquet its end. */
  async glance(object: StoredObject, format: FileFormat, layout: TextLayout): Promise<PartColumn[]> {
    if (format === 'parquet') return (await this.shape(object, format, layout)).columns;
    const head = await unpacked(await this.#store.part(object, headSize));
    const cut = object.size > headSize || head.length >= unpackedHead;
    if (cut && !head.includes(0x0a) && !head.includes(0x0d)) {
      return (await this.shape(object, format, layout)).columns;
    }
    const open = () => Readable.from([head]);
    const file: TextFile = { ...textFile(object.key, '', format, layout), open, cut };
    return (await textShape(file)).columns;
  }

  /** The whole object, on this machine. */
  open(object: { key: string; size: number; etag?: string }): Promise<CachedFile> {
    return this.#cache.open(`${object.key}\0${object.etag}`, async (path) => {
      if (object.size > largestFile) throw tooBig(object.key, largestFile);
      await receive(this.#store.read(object), path, { name: object.key });
    });
  }

  /** The rows of a Parquet file on this machine, as COPY text. @param name what it is called in a message. */
  parquetRows(
    path: string,
    name: string,
    wanted: readonly FileColumn[],
    warnings: WarningCounts,
    values?: ReadonlyMap<string, string>,
  ): AsyncGenerator<Buffer> {
    const read = this.#engines.lend(async function* (engine) {
      const rows = engine.read(await parquetRead(engine, path, wanted, values));
      yield* wholeRows(rows, name);
      for (const { column, rule, count } of rows.warnings ?? []) warnings.add(column, rule, count);
    });
    return underItsName(read, path, name);
  }

  async #parquetShape(object: StoredObject): Promise<Shape> {
    const path = (await this.#temp()).file();
    try {
      await fetchFooter(this.#store, object, path);
      const shapes = this.#engines.lend(async function* (engine) {
        const found = await engine.columns(`select * from read_parquet(${literal(path)})`);
        const [count] = await engine.query<{ n: string }>(
          `select num_rows::varchar as n from parquet_file_metadata(${literal(path)})`,
        );
        const columns = found.map(({ name, carrier }) => ({ name, type: carrier }));
        yield { columns, rows: Number(count?.n) };
      });
      const [shape] = await Array.fromAsync(underItsName(shapes, path, object.key));
      return shape ?? { columns: [], rows: 0 };
    } finally {
      await rm(path, { force: true });
    }
  }
}

/** Has errors speak of an object, and not of the copy of it that DuckDB reads. */
async function* underItsName<Item>(
  items: AsyncIterable<Item>,
  path: string,
  name: string,
): AsyncGenerator<Item> {
  try {
    yield* items;
  } catch (error) {
    if (!(error instanceof DuckDBError)) throw error;
    const said = messageOf(error).replaceAll(path, name);
    const reason = said.includes(name) ? said : `${name}: ${said}`;
    throw new TidemarkError('unprocessable', { reason }, { cause: error });
  }
}

export function textFile(name: string, path: string, format: FileFormat, layout: TextLayout): TextFile {
  const open = () => createReadStream(path, { highWaterMark: 256 * 1024 });
  return { name, format: format === 'json' ? 'json' : 'csv', open, ...layout };
}

async function textShape(file: TextFile): Promise<Shape> {
  const { columns, rows } = await textColumns(file);
  const parts = columns.map(({ name, possible, json }) =>
    file.format === 'json' ? { name, possible, json } : { name, possible },
  );
  return { columns: parts, rows };
}

/** The beginning of what gzip packs; anything else as it is. */
async function unpacked(head: Buffer): Promise<Buffer> {
  if (head[0] !== 0x1f || head[1] !== 0x8b) return head;
  const chunks: Buffer[] = [];
  let size = 0;
  const stream = Readable.from([head]).pipe(createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }));
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size >= unpackedHead) break;
  }
  return Buffer.concat(chunks);
}
