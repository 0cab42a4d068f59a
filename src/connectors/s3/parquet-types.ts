import type { BulkColumn, TypeRule } from '../contract.ts';
import type { FileColumn } from '../file-formats/file-table.ts';

/**
 * Types that DuckDB has and Parquet does not, or not whole: its intervals have milliseconds and no sign, its times of
 * day no zone, and bits and json would come back in another form. They are kept as their text.
 */
const asText = /^(interval|time with time zone|timetz|bit|json)/;

/** How a table's columns are given to DuckDB to be written as Parquet. */
export function parquetColumns(columns: readonly FileColumn[]): BulkColumn[] {
  return columns.map(({ name, type }) => ({
    name,
    outputName: name,
    type: asText.test(type) ? 'text' : type,
    nullable: true,
  }));
}

/** For docs/types.md. */
export const parquetTypes: readonly TypeRule[] = [
  {
    type: 'BOOLEAN, INT16, INT32, INT64, FLOAT, DOUBLE',
    as: 'boolean, smallint, integer, bigint, real, double precision',
  },
  {
    type: 'DECIMAL',
    as: 'numeric(p,s) up to 38 digits',
    note: 'NaN and infinity become NULL: `nan_nulled`.',
  },
  {
    type: 'DATE, TIME, TIMESTAMP, TIMESTAMP (UTC)',
    as: 'date, time, timestamp, timestamp with time zone',
    note: 'Years beyond 294246 become NULL: `out_of_range_nulled`.',
  },
  { type: 'UUID, BYTE_ARRAY', as: 'uuid, bytea' },
  {
    type: 'LIST',
    as: 'arrays of these and of text',
    note: 'Bounds that do not begin at 1 are lost: `array_bounds_dropped`; an array of several dimensions becomes NULL: `array_nulled`.',
  },
  { type: 'STRING', as: 'everything else, as its text', note: 'The manifest says the type.' },
];
