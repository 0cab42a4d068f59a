import { Type } from 'typebox';
import { TidemarkError } from '../../errors.ts';
import { encodeCopyText } from '../../lib/copy-text.ts';
import type { JsonObject } from '../../lib/json.ts';
import { BatchRefused, type BulkOutput, type OutgoingRecord, type TargetDefinition } from '../contract.ts';
import { DuckDBError, isTrouble, isValueError } from '../duckdb-engine/index.ts';
import type { FileColumn } from '../file-formats/file-table.ts';
import type { DestinationContext } from './bulk-destination.ts';
import { allFiles, type FileList, storeList } from './file-lists.ts';
import {
  commitManifest,
  type Manifest,
  type ManifestFile,
  manifestOf,
  type OutputFormat,
  outputFormats,
  readManifest,
  tableFolder,
} from './manifest.ts';
import { modelColumns } from './model-columns.ts';
import { outputColumns } from './output-columns.ts';
import { type ObjectStore, Overtaken } from './store.ts';
import { type FileWriter, writeFiles } from './write-files.ts';

/** What a change of form is that leaves JSON the same. */
const harmless = /^json_(line_breaks_replaced|null_nulled)$/;
/** Times that a manifest which somebody else writes at the same moment is read again. */
const tries = 5;

export interface Live {
  manifest: Manifest;
  etag: string;
}

/** What a table consists of. */
export type Contents = Pick<Manifest, 'files' | 'lists'>;

/** `target.configuration` of a sync to files, which is checked where it is used. */
export const targetConfiguration = Type.Object({
  name: Type.Optional(Type.Unknown()),
  format: Type.Optional(Type.Unknown()),
});

/** @throws invalid_field */
export function fileSettings({ name, format = 'csv' }: JsonObject): {
  output: BulkOutput;
  format: OutputFormat;
} {
  if (typeof name !== 'string' || !/^[^/]+(\/[^/]+)*$/.test(name)) {
    throw wrong('name', 'takes the name of the files, e.g. users or exports/users');
  }
  const found = outputFormats.find((one) => one === format);
  if (found === undefined) throw wrong('format', `takes ${outputFormats.join(', ')}`);
  const parts = name.split('/');
  const output = { schema: parts.slice(0, -1).join('/'), name: parts.at(-1) ?? '' };
  return { output: { ...output, origin: undefined, columns: [], primaryKey: [] }, format: found };
}

/**
 * The files of one model sync and their manifest. A batch is a file of its own below a folder that is named by its
 * token: so the manifest says what has become of it.
 */
export class ModelTable {
  readonly incoming: FileColumn[];
  readonly store: ObjectStore;
  readonly folder: string;
  readonly #context: DestinationContext;
  readonly #output: BulkOutput;
  readonly #format: OutputFormat;
  readonly #sync: string;

  constructor(context: DestinationContext, definition: TargetDefinition) {
    const { output, format } = fileSettings(definition.configuration);
    const columns = modelColumns(definition);
    const key = definition.identity === undefined ? [] : columns.slice(0, 1).map(({ name }) => name);
    this.#output = { ...output, columns, primaryKey: key };
    this.incoming = outputColumns(this.#output, format);
    this.store = context.openStore(context.signal);
    this.folder = tableFolder(context.place.prefix, output);
    this.#context = context;
    this.#format = format;
    this.#sync = definition.sync.id;
  }

  /** Undefined: there is nothing yet. @throws unprocessable when somebody else writes there. */
  async live(): Promise<Live | undefined> {
    const live = await readManifest(this.store, this.folder);
    if (live === undefined || live.manifest.position.model_sync === this.#sync) return live;
    const { schema, name } = this.#output;
    const what = live.manifest.position.model_sync === undefined ? 'a bulk sync' : 'another model sync';
    const reason = `target.configuration.name: ${schema === '' ? name : `${schema}/${name}`} was written by ${what}; choose another name, or remove the folder`;
    throw new TidemarkError('unprocessable', { reason });
  }

  /** All files of the table. */
  files({ manifest }: Live): Promise<ManifestFile[]> {
    return allFiles(this.store, this.folder, manifest);
  }

  /** Has files named by a list of their own from now on. */
  list(files: readonly ManifestFile[]): Promise<FileList> {
    return storeList(this.store, this.folder, files);
  }

  async writer(generation: string, columns: readonly FileColumn[]): Promise<FileWriter> {
    const { engines, partSize } = this.#context;
    return {
      store: this.store,
      temp: await this.#context.temp(),
      async withEngine(use) {
        const engine = await engines.take();
        try {
          const result = await use(engine);
          engines.give(engine);
          return result;
        } catch (error) {
          if (isValueError(error)) engines.give(engine);
          else await engine.close();
          throw error;
        }
      },
      format: this.#format,
      folder: this.folder,
      generation,
      columns,
      partitionBy: undefined,
      partSize,
    };
  }

  /**
   * @param generation where the files go, below `data/`.
   * @throws BatchRefused when a value cannot be kept as it is: nothing of the batch is then.
   */
  async storeRecords(
    generation: string,
    label: string,
    records: readonly OutgoingRecord[],
    columns: readonly FileColumn[],
  ): Promise<ManifestFile[]> {
    const places = columns.map(({ name }) => this.incoming.findIndex((column) => column.name === name));
    const rows = records.map(({ values }) => places.map((place) => values[place] ?? null));
    const text = Buffer.from(encodeCopyText(rows));
    const writer = await this.writer(generation, columns);
    try {
      const { files, warnings } = await writeFiles(writer, oneChunk(text), label);
      const changed = warnings.find(({ rule }) => !harmless.test(rule));
      if (changed === undefined) return files;
      for (const { path } of files) await this.store.remove(`${this.folder}${path}`);
      throw new BatchRefused(
        `${changed.column}: ${this.#format} cannot hold the value as it is (${changed.rule})`,
      );
    } catch (error) {
      if (!(error instanceof DuckDBError) || isTrouble(error)) throw error;
      throw new BatchRefused(error.message, { cause: error, unsure: !isValueError(error) });
    }
  }

  /** Makes these the files of the table, if it is still as `live` has it. Otherwise it may be tried again. */
  async commit(
    token: string,
    contents: Contents,
    columns: readonly FileColumn[],
    live: Live | undefined,
  ): Promise<void> {
    const manifest = this.#manifest(token, contents, columns);
    await commitManifest(this.store, this.folder, manifest, live?.etag ?? null).catch((error: unknown) => {
      throw error instanceof TidemarkError ? new Error(error.message, { cause: error }) : error;
    });
  }

  #manifest(token: string, contents: Contents, columns: readonly FileColumn[]): Manifest {
    const shape = { format: this.#format, generation: token, columns, partitionBy: undefined };
    return manifestOf(this.#output, shape, contents, { model_sync: this.#sync }, token);
  }

  /**
   * What became of a batch. One that is not there never will be: the manifest is written anew, so that a worker that
   * was given up finds it changed when its own write comes late.
   */
  async outcome(token: string): Promise<'committed' | 'aborted'> {
    for (let attempt = 1; ; attempt++) {
      const live = await this.live();
      const { files = [], lists = [], load, columns = this.incoming } = live?.manifest ?? {};
      // A list is made of many batches, and it is one of the last that is asked for.
      const recent = await allFiles(this.store, this.folder, { files, lists: lists.slice(-1) });
      if (load === token || recent.some(({ path }) => path.includes(`/${token}/`))) return 'committed';
      const fence = this.#manifest(crypto.randomUUID(), { files, lists }, columns);
      try {
        const text = `${JSON.stringify(fence, null, 1)}\n`;
        await this.store.write(`${this.folder}_manifest.json`, text, live?.etag ?? null);
        return 'aborted';
      } catch (error) {
        if (!(error instanceof Overtaken) || attempt === tries) throw error;
      }
    }
  }
}

async function* oneChunk(text: Buffer): AsyncGenerator<Buffer> {
  yield text;
}

function wrong(key: string, reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field: `target.configuration.${key}`, reason });
}
