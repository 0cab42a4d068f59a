import type { Batches, Field, KeyAndHash, ModelQuery, SourceRecord } from '../connectors/index.ts';

export type RecordQuery = Omit<ModelQuery, 'configuration' | 'warned'>;

/** The records of one model, wherever its fields come from. Its promises are those of `ModelSource`. */
export interface RecordSource extends AsyncDisposable {
  /** To read a record may take a request of its own: what is not needed is better not read. */
  costly?: boolean;
  /** Those that were wanted when it was opened are among them. */
  fields(): Promise<Field[]>;
  sample(fields: string[], limit: number): Promise<(string | null)[][]>;
  keys(query: RecordQuery): Batches<KeyAndHash>;
  records(query: RecordQuery, keys?: readonly string[]): Batches<SourceRecord>;
}
