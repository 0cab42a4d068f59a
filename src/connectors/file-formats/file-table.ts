import type { FieldType } from '../../schema/field-type.ts';
import type { BulkRange, Field, SourceSchema } from '../contract.ts';
import type { WarningCounts } from './warning-counts.ts';

/** The tables that a connection's files make up. */
export interface FileTables {
  /** For people to choose from: types are those of the files' beginnings. */
  schemas(): Promise<SourceSchema[]>;
  /** As it is now. @throws not_found */
  open(id: string): Promise<FileTable>;
}

export interface FileColumn {
  name: string;
  /** The PostgreSQL type that every value has. */
  type: string;
}

/** A table as it was when it was opened: reading it later gives that, or fails. */
export interface FileTable {
  id: string;
  /** Names it among the tables of all servers, where a sync could write it. */
  origin?: string;
  /** The place it is read from. */
  place?: string;
  columns: readonly FileColumn[];
  /** Names of columns; files by themselves know none. */
  primaryKey: readonly string[];
  /** Undefined where counting would take reading. */
  rows: number | undefined;
  /**
   * Whole rows of COPY text with these columns, in their types' own spelling.
   *
   * @param columns those asked for, with the types that they were found to have when the read was settled.
   */
  read(columns: readonly FileColumn[], options: FileRead): AsyncIterable<Buffer>;
  /** Parts of about so many rows. Fewer than two: it is read as a whole. */
  ranges?(rows: number): BulkRange[];
  /** The greatest value of a field that can be followed. @throws invalid_field */
  trackingBound?(field: string): string | undefined;
  /** Whether a row is at or above a bound of before. */
  reaches?(from: string): boolean;
}

export interface FileRead {
  warnings: WarningCounts;
  range?: BulkRange;
  /** Only rows of files at or above it. */
  tracking?: { field: string; from: string; overlapSeconds: number };
}

export function fieldOf({ name, type }: FileColumn): Field {
  return { name, type: fieldTypeOf(type), remoteType: type, nullable: true };
}

function fieldTypeOf(type: string): FieldType {
  if (type.endsWith('[]')) return 'array';
  if (type === 'boolean') return 'boolean';
  if (/^jsonb?$/.test(type)) return 'object';
  if (type === 'bytea') return 'binary';
  if (/^(smallint|integer|bigint|numeric|real|double)/.test(type)) return 'number';
  return /^(date|timestamp)/.test(type) ? 'datetime' : 'string';
}
