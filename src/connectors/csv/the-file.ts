import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { notFound, TidemarkError } from '../../errors.ts';
import { oneAtATime } from '../../lib/one-at-a-time.ts';
import { type TempFolder, tempFolder } from '../../lib/temp-folder.ts';
import { textBytes } from '../file-formats/file-bytes.ts';
import { type FileTable, type FileTables, fieldOf } from '../file-formats/file-table.ts';
import type { ModelTables } from '../file-formats/model-source.ts';
import { oneFileTable } from '../file-formats/one-file.ts';
import type { TextFile } from '../file-formats/text-file.ts';
import { readSettings } from '../file-formats/text-settings.ts';
import type { Configuration } from './configuration.ts';
import { type Download, download, probe, type Validators } from './download.ts';

/** The one table of a connection: the file as it was when it was last looked at. */
export function theFile(
  configuration: Configuration,
  context: Download,
): FileTables & ModelTables & { test(): Promise<void>; close(): Promise<void> } {
  const id = tableName(configuration.url);
  let folder: Promise<TempFolder> | undefined;
  let held: { path: string; version: Validators; table: FileTable } | undefined;
  const inTurn = oneAtATime();

  const refresh = async (): Promise<FileTable> => {
    folder ??= tempFolder();
    const path = (await folder).file();
    const version = await download(configuration, path, { ...context, since: held?.version ?? {} });
    if (version === undefined && held !== undefined) return held.table;
    const table = await oneFileTable(id, await textFile(path, configuration));
    // A read of the file before may be under way: what is open stays readable.
    if (held !== undefined) await rm(held.path, { force: true });
    held = { path, version: version ?? {}, table };
    return table;
  };
  const current = () => inTurn(refresh);

  return {
    test: () => probe(configuration, context),
    async schemas() {
      const { columns } = await current();
      const fields = columns.map((column) => ({ ...fieldOf(column), primaryKey: false }));
      return [{ id, name: id, fields }];
    },
    async open(wanted) {
      if (wanted !== id) throw notFound('schema', wanted);
      return current();
    },
    async meta(parameters) {
      const fields =
        parameters.table === undefined ? null : (await current()).columns.map(({ name }) => name);
      const choice = (items: string[] | null) => ({
        items,
        has_items: items !== null,
        requires_one_of: null,
      });
      return {
        configuration: Object.fromEntries(
          Object.entries(parameters).map(([name, items]) => [name, { type: 'string', items }]),
        ),
        items: { table: choice([id]), tracking_columns: choice(fields) },
        requires_one_of: [],
      };
    },
    async table({ table }) {
      if (table === undefined || table === null || table === '' || table === id) return current();
      throw new TidemarkError('invalid_field', {
        field: 'configuration.table',
        reason: `the connection has one table, ${id}`,
      });
    },
    async close() {
      await inTurn(async () => {});
      await (await folder)?.[Symbol.asyncDispose]();
    },
  };
}

/** JSON by its first character, or what its name says. */
async function textFile(path: string, configuration: Configuration): Promise<TextFile> {
  const { url, header, delimiter, quote, encoding } = configuration;
  const settings = readSettings({
    delimiter: ['delimiter', delimiter],
    quote: ['quote', quote],
    escape: ['escape', configuration.escape],
    encoding: ['encoding', encoding],
  });
  const open = () => createReadStream(path, { highWaterMark: 256 * 1024 });
  const [name = url] = url.split(/[?#]/);
  for await (const chunk of textBytes(createReadStream(path, { end: 1023 }), name, {
    ...settings,
    cut: true,
  })) {
    const head = chunk.toString('utf8').trimStart();
    if (/^\{|^\[\s*\{/.test(head)) return { name, format: 'json', open, encoding: settings.encoding };
  }
  return { name, format: 'csv', open, ...settings, ...(header === undefined ? {} : { header }) };
}

/** `https://example.com/a/people.v2.csv.gz` → `people_v2`. */
function tableName(url: string): string {
  const last = URL.canParse(url) ? (new URL(url).pathname.split('/').at(-1) ?? '') : '';
  const base = decodeURIComponent(last.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'))
    .replace(/\.gz$/i, '')
    .replace(/\.(csv|tsv|txt|json|jsonl|ndjson)$/i, '');
  return base.replaceAll('.', '_') || 'file';
}
