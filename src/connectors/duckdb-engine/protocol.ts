/** What the engine and its process say to each other. The first request is `open`; it may come again after `close`. */
export type Request =
  | { kind: 'open'; options: DatabaseOptions }
  | { kind: 'run'; sql: string }
  | { kind: 'query'; sql: string; values: readonly string[] }
  | { kind: 'describe'; sql: string }
  | { kind: 'close' };

export interface DatabaseOptions {
  /** Absolute; in memory without one. */
  file?: string;
  readOnly?: boolean;
  /** The file is read once, soon: it is written without compressing, and closed without tidying up. */
  scratch?: boolean;
  /** Settings are not locked. */
  ownSql?: boolean;
  /** Bytes. */
  memory: number;
  /** The folders that SQL may read from and write to, with all below them. The first is DuckDB's own. */
  folders: readonly string[];
}

/** Values are text, numbers or booleans, as DuckDB's JSON conversion gives them; select text to be sure. */
export type Row = Record<string, unknown>;

/** A type as DuckDB's driver describes it in JSON. */
export interface DuckType {
  typeId: number;
  /** `JSON` on a VARCHAR. */
  alias?: string;
  width?: number;
  scale?: number;
  /** Of a list, an array or a map. */
  valueType?: DuckType;
  keyType?: DuckType;
  /** Of a struct. */
  entryNames?: string[];
  entryTypes?: DuckType[];
  /** Of a union. */
  memberTags?: string[];
  memberTypes?: DuckType[];
}

export interface Described {
  name: string;
  type: DuckType;
  /** As SQL writes it, e.g. `DECIMAL(10,2)[]`. */
  typeName: string;
}

export type Answer =
  | { error: string }
  | { database: string }
  | { closed: true }
  | { rows: Row[] }
  | { changed: number }
  | { columns: Described[] };
