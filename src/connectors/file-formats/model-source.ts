import { TidemarkError } from '../../errors.ts';
import { decodeRow } from '../../lib/copy-text.ts';
import { hash64 } from '../../lib/hash64.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { ModelQuery, ModelSource, SourceRecord } from '../contract.ts';
import { sampleOf } from './catalogue.ts';
import { type FileColumn, type FileTable, fieldOf } from './file-table.ts';
import { filteredRows } from './filter-rows.ts';
import { WarningCounts } from './warning-counts.ts';

export interface ModelTables {
  meta: ModelSource['meta'];
  /** The table that a model's configuration names. @throws invalid_field */
  table(configuration: JsonObject): Promise<FileTable>;
}

/** Models over tables of files: every read goes through the whole table. */
export function modelSource({ meta, table: open }: ModelTables): ModelSource {
  return {
    meta,
    fields: async (configuration) => (await open(configuration)).columns.map(fieldOf),
    async sample(configuration, fields, limit) {
      const table = await open(configuration);
      return sampleOf(table, columnsOf(table, fields), limit);
    },
    async *keys(query) {
      for await (const records of read(await open(query.configuration), query)) {
        yield records.map(({ key, hash }) => ({ key, hash }));
      }
    },
    async *records(query, keys) {
      const wanted = keys === undefined ? undefined : new Set(keys);
      for await (const records of read(await open(query.configuration), query)) {
        const found = records.filter(({ key }) => wanted === undefined || (key !== null && wanted.has(key)));
        if (found.length > 0) yield found;
      }
    },
  };
}

function columnsOf(table: FileTable, names: readonly string[]): FileColumn[] {
  return names.map((name) => {
    const column = table.columns.find((one) => one.name === name);
    if (column !== undefined) return column;
    throw new TidemarkError('invalid_query', { reason: `the model has no field ${name} any more` });
  });
}

/** The hash covers the COPY text of what is hashed, which tells NULL from empty and one field from the next. */
async function* read(table: FileTable, query: ModelQuery): AsyncGenerator<SourceRecord[]> {
  const { fields, hashed = [], identity, filter } = query;
  const key = identity === undefined ? [] : [identity];
  const columns = columnsOf(table, [...key, ...hashed, ...fields]);
  const end = query.hashed === undefined ? undefined : key.length + hashed.length;
  const occurrences = new Map<string, number>();
  const warnings = new WarningCounts();
  const options = { warnings, ...(filter === undefined ? {} : { filter }) };
  for await (const rows of filteredRows(table, columns, options)) {
    yield rows
      .toString('utf8', 0, rows.length - 1)
      .split('\n')
      .map((line) => {
        const texts = line.split('\t');
        const content = hash64(texts.slice(key.length, end).join('\t'));
        const values = decodeRow(line);
        const [first = null] = values.splice(0, key.length + hashed.length);
        if (identity !== undefined) return { key: first, hash: content, values };
        const occurrence = (occurrences.get(content) ?? 0) + 1;
        occurrences.set(content, occurrence);
        return { key: `${content}#${occurrence}`, hash: content, values };
      });
  }
  query.warned?.(warnings.list());
}
