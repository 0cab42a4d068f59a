import { notFound, TidemarkError } from '../../errors.ts';
import { eachLimited } from '../../lib/each-limited.ts';
import type { JsonObject } from '../../lib/json.ts';
import { orMeant } from '../../lib/near-name.ts';
import type { ModelSource, SourceSchema } from '../contract.ts';
import { type FileTable, type FileTables, fieldOf } from '../file-formats/file-table.ts';
import type { ModelTables } from '../file-formats/model-source.ts';
import { readSettings } from '../file-formats/text-settings.ts';
import type { Configuration, Place } from './configuration.ts';
import { allFiles } from './file-lists.ts';
import { manifestName, originOf, readManifest } from './manifest.ts';
import { manifestTable } from './manifest-table.ts';
import { decoded, type FileFormat, formatOf, type TableFiles, tableId, tablesOf } from './object-names.ts';
import type { ObjectReader, TextLayout } from './object-reader.ts';
import { objectTable, tableColumns } from './object-table.ts';
import type { ObjectStore, StoredObject } from './store.ts';

/** Objects of a table that are looked at to show its columns: the first ones and the last. */
const glances = 3;
const concurrency = 8;
/** Objects that are held in memory while they are sorted into tables: about 100 MB. */
const mostObjects = 250_000;
/** Choices that are offered for a model. */
const mostChoices = 1000;

/** The tables of a bucket, or of a folder in one: those that Tidemark wrote, and what other files make up. */
export function s3Source(
  store: ObjectStore,
  reader: ObjectReader,
  place: Place,
  settings: Configuration,
  most = mostObjects,
): FileTables & ModelTables {
  const { prefix } = place;
  const layout: TextLayout = {
    header: settings.csv_has_headers ?? true,
    skipLines: settings.skip_lines ?? 0,
    ...readSettings({
      delimiter: ['csv_delimiter', settings.csv_delimiter],
      quote: ['csv_quote', settings.csv_quote],
      escape: ['csv_escape', settings.csv_escape],
      encoding: ['csv_encoding', settings.csv_encoding],
    }),
  };
  /** Manifests, and what passes. */
  const objects = async (wanted: (object: StoredObject) => boolean = () => true) => {
    const found: StoredObject[] = [];
    for await (const object of store.list(prefix)) {
      if (!object.key.endsWith(`/${manifestName}`) && !wanted(object)) continue;
      if (found.length === most) throw tooMany(place, most);
      found.push(object);
    }
    return found;
  };

  /** @param filesOf all of them to read it, none to look at its columns. */
  const ownTable = async (folder: string, filesOf: typeof allFiles): Promise<FileTable | undefined> => {
    const found = await readManifest(store, folder);
    if (found === undefined) return undefined;
    const files = await filesOf(store, folder, found.manifest);
    const id = ownId(folder, prefix);
    return manifestTable(reader, id, folder, { ...found.manifest, files }, originOf(place, folder));
  };
  const open = async (id: string): Promise<FileTable | undefined> => {
    const isPart = (object: StoredObject) =>
      tablesOf([object], prefix, settings).some((one) => one.id === id);
    const { folders, others } = apart(await objects(isPart));
    const folder = folders.find((one) => ownId(one, prefix) === id);
    if (folder !== undefined) return ownTable(folder, allFiles);
    const table = tablesOf(others, prefix, settings).find((one) => one.id === id);
    return table && objectTable(reader, table, layout);
  };

  const idsOf = (found: readonly StoredObject[]): string[] => {
    const { folders, others } = apart(found);
    const own = folders.map((folder) => ownId(folder, prefix));
    return [...own, ...tablesOf(others, prefix, settings).map(({ id }) => id)];
  };

  return {
    async schemas() {
      const { folders, others } = apart(await objects());
      const tables = [...folders, ...tablesOf(others, prefix, settings)];
      const schemas: (SourceSchema | undefined)[] = [];
      const broken: unknown[] = [];
      await eachLimited(tables.entries(), concurrency, async ([index, table]) => {
        schemas[index] =
          typeof table === 'string'
            ? schemaOf(await ownTable(table, async () => []))
            : await glance(reader, table, layout).catch((error: unknown) => {
                if (!(error instanceof TidemarkError)) throw error;
                broken.push(error);
                // There, so that who reads it learns what is wrong with it, and the others are.
                return { id: table.id, name: table.name, fields: [] };
              });
      });
      // It is rather the bucket.
      if (broken.length === tables.length && broken.length > 0) throw broken[0];
      return schemas.filter((schema) => schema !== undefined);
    },
    async open(id) {
      const table = await open(id);
      if (table !== undefined) return table;
      throw notFound('schema', id);
    },
    async table(configuration) {
      const { table: id } = configuration;
      if (typeof id !== 'string' || id === '') {
        return modelTable(await objects(), reader, prefix, layout, configuration);
      }
      const table = await open(id);
      if (table !== undefined) return table;
      throw wrong('table', `there is no table ${id}${orMeant(id, idsOf(await objects()))}`);
    },
    async meta(parameters) {
      const found = await objects();
      return metaOf(apart(found).others, prefix, idsOf(found), parameters);
    },
  };
}

/** Folders with a manifest, and the objects outside of them. */
function apart(objects: readonly StoredObject[]): { folders: string[]; others: StoredObject[] } {
  const folders = objects
    .filter(({ key }) => key.endsWith(`/${manifestName}`))
    .map(({ key }) => key.slice(0, -manifestName.length));
  const own = new Set(folders);
  return { folders, others: objects.filter(({ key }) => !above(key).some((folder) => own.has(folder))) };
}

/** `a/b/c` → `a/`, `a/b/` */
function above(key: string): string[] {
  return [...key.matchAll(/\//g)].map(({ index }) => key.slice(0, index + 1));
}

/** `lake/public/users/` → `public.users` */
function ownId(folder: string, prefix: string): string {
  return tableId(folder.slice(prefix.length, -1).split('/').map(decoded).join('/'));
}

function schemaOf(table: FileTable | undefined): SourceSchema | undefined {
  if (table === undefined) return undefined;
  const { id, columns, primaryKey } = table;
  const fields = columns.map((column) => ({
    ...fieldOf(column),
    primaryKey: primaryKey.includes(column.name),
  }));
  return { id, name: id, fields };
}

async function glance(reader: ObjectReader, table: TableFiles, layout: TextLayout): Promise<SourceSchema> {
  const { id, name, files, parts } = table;
  const chosen = files.length <= glances ? files : [...files.slice(0, glances - 1), ...files.slice(-1)];
  const shapes = [];
  for (const { object, format } of chosen) shapes.push(await reader.glance(object, format, layout));
  const columns = tableColumns(files, shapes, parts);
  return { id, name, fields: columns.map((column) => ({ ...fieldOf(column), primaryKey: false })) };
}

/** `model_from`: one object by its `key`, or all objects of a format below `subfolder`. */
async function modelTable(
  objects: readonly StoredObject[],
  reader: ObjectReader,
  prefix: string,
  layout: TextLayout,
  configuration: JsonObject,
): Promise<FileTable> {
  const { model_from: from, key, subfolder, file_format: format, skip_lines: skip } = configuration;
  const lines = typeof skip === 'number' ? { ...layout, skipLines: skip } : layout;
  const of = (object: StoredObject) => formatOf(object.key)?.format;
  const chosen = (format ?? undefined) as FileFormat | undefined;
  const found = (list: readonly StoredObject[]): TableFiles['files'] =>
    list.flatMap((object) => {
      const known = chosen ?? of(object);
      return known === undefined ? [] : [{ object, format: known }];
    });
  switch (from) {
    case 'single_file': {
      const files = found(objects.filter((object) => object.key === key || object.key === `${prefix}${key}`));
      if (files.length > 0)
        return objectTable(reader, { id: String(key), name: String(key), files, parts: false }, lines);
      throw wrong('key', `there is no object ${key} whose format is known; name file_format if it is there`);
    }
    case 'multi_file_archive': {
      const folder = `${prefix}${typeof subfolder === 'string' ? subfolder.replaceAll(/^\/+|\/+$/g, '') : ''}`;
      const below = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
      const files = found(
        objects.filter((object) => {
          const path = object.key.slice(below.length);
          const alike = chosen === undefined || (of(object) ?? chosen) === chosen;
          return object.key.startsWith(below) && object.size > 0 && !/(^|\/)[_.]/.test(path) && alike;
        }),
      );
      if (files.length > 0) return objectTable(reader, { id: below, name: below, files, parts: true }, lines);
      throw wrong('subfolder', `there is no ${chosen ?? 'readable'} file below ${below || 'the bucket'}`);
    }
    default:
      throw wrong('model_from', 'takes single_file with key, or multi_file_archive; or name a table');
  }
}

function tooMany({ bucket, prefix }: Place, most: number): TidemarkError {
  const reason = `${bucket}/${prefix} has more than ${most} objects to choose from: name a folder below it in configuration.s3_bucket_name`;
  return new TidemarkError('unprocessable', { reason });
}

function wrong(key: string, reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field: `configuration.${key}`, reason });
}

function metaOf(
  objects: readonly StoredObject[],
  prefix: string,
  tables: string[],
  parameters: Record<string, string[]>,
): Awaited<ReturnType<ModelSource['meta']>> {
  const choice = (items: string[] | null, needs: string[] | null = null) => ({
    items: items === null ? null : items.slice(0, mostChoices),
    has_items: items !== null,
    requires_one_of: needs,
  });
  const keys = objects
    .map(({ key }) => key.slice(prefix.length))
    .filter((key) => formatOf(key) !== undefined);
  const folders = new Set(
    keys.map((key) => key.slice(0, key.lastIndexOf('/') + 1)).filter((folder) => folder !== ''),
  );
  return {
    configuration: Object.fromEntries(
      Object.entries(parameters).map(([name, items]) => [name, { type: 'string', items }]),
    ),
    items: {
      model_from: choice(['single_file', 'multi_file_archive']),
      file_format: choice(['csv', 'json', 'parquet']),
      key: choice(keys),
      subfolder: choice([...folders]),
      skip_lines: choice(null),
      table: choice(tables),
    },
    requires_one_of: parameters.model_from || parameters.table ? [] : ['model_from', 'table'],
  };
}
