import type { BulkOutput } from '../contract.ts';
import { outputKey, ownColumns } from './bulk-names.ts';
import { identifier } from './quote.ts';
import { type WriteType, writeTypeOf } from './target-types.ts';

export interface OutputColumn extends WriteType {
  /** Name in the source. */
  source: string;
  name: string;
  key: boolean;
}

/** Bytes that the columns of a key may have together, and characters of four bytes in them. */
const keyCharacters = 760;
/** Bytes of a row's texts that stand in the row itself: a wider one keeps all of them elsewhere. */
const rowBytes = 16_000;
/** Of Tidemark's own columns. */
export const ownType = 'datetime(6)';

/** What the destination's columns are: texts of a key are as long as an index takes. */
export function outputColumns(output: BulkOutput): OutputColumn[] {
  const key = new Set(outputKey(output));
  const columns = output.columns.map(({ name, outputName, type }) => ({
    ...{ source: name, name: outputName, key: key.has(outputName) },
    ...writeTypeOf(type),
  }));
  const long = columns.filter((column) => column.key && /^(longtext|longblob|varchar)/.test(column.type));
  const width = Math.floor(keyCharacters / Math.max(1, long.length));
  const inRow = columns.reduce(
    (sum, { type }) => sum + 4 * Number(/^varchar\((\d+)\)/.exec(type)?.[1] ?? 0),
    0,
  );
  return columns.map((column) => {
    const { type } = column;
    if (!long.includes(column)) {
      return inRow > rowBytes && type.startsWith('varchar') ? { ...column, type: 'longtext' } : column;
    }
    if (type === 'longblob') return { ...column, type: `varbinary(${width})` };
    const length = Number(/\d+/.exec(type)?.[0] ?? width);
    return { ...column, type: `varchar(${Math.min(length, width)})` };
  });
}

/** The body of CREATE TABLE, in the order of the output, then Tidemark's own columns. */
export function definitions(output: BulkOutput, collation: string): string {
  const columns = outputColumns(output).map(
    ({ name, type, key }) =>
      `${identifier(name)} ${type}${collated(type, collation)}${key ? ' not null' : ' null'}`,
  );
  const own = ownColumns(output).map((name) => `${identifier(name)} ${ownType} null`);
  const key = outputKey(output).map(identifier);
  return [...columns, ...own, ...(key.length === 0 ? [] : [`primary key (${key.join(', ')})`])].join(', ');
}

/** Texts compare as in the source: by their characters, spaces at the end and case included. */
export function collated(type: string, collation: string): string {
  return /^(char|varchar|longtext)/.test(type) ? ` character set utf8mb4 collate ${collation}` : '';
}
