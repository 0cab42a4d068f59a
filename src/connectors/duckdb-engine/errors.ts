/** What DuckDB refused. `kind` is how its message begins: Conversion, Constraint, Catalog, Parser, IO, … */
export class DuckDBError extends Error {
  override name = 'DuckDBError';
  readonly kind: string;

  constructor(message: string) {
    super(message);
    this.kind = /^([\w ]+) Error:/.exec(message)?.[1] ?? '';
  }
}

/** That a value is to blame for, not memory, disk, file or statement. */
export function isValueError(error: unknown): error is DuckDBError {
  return error instanceof DuckDBError && ['Conversion', 'Invalid Input', 'Out of Range'].includes(error.kind);
}

/** That the file, the disk, memory or DuckDB itself is to blame for. */
export function isTrouble({ kind }: DuckDBError): boolean {
  return /^(IO|Permission|Out of Memory|INTERNAL|FATAL|Interrupt|Connection|HTTP|Transaction.*)$/i.test(kind);
}

export function isOutOfMemory(error: unknown): error is DuckDBError {
  return error instanceof DuckDBError && error.kind === 'Out of Memory';
}
