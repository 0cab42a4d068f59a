import type { JsonObject } from '../../src/lib/json.ts';
import type { Meaning } from './canonical.ts';
import type { Dice } from './dice.ts';

/** Values of a row by column, null for NULL. */
export type Row = Map<string, string | null>;

export interface SourceColumn {
  name: string;
  /** Of the source. */
  type: string;
}

/** Where the rows of a world come from: one table, view or whatever else that is named `t`. */
export interface Source extends AsyncDisposable {
  /** Connector type, and the configuration of its connection. */
  type: string;
  configuration: JsonObject;
  schemaId: string;
  /** The fields that rows are told apart by where the source has no key of its own to tell. */
  override: string[] | undefined;
  table: Told;
  /** @returns what was done, for who looks at a failure. */
  change(dice: Dice): Promise<string>;
  /** Sets something for new sessions that changes what they read or write. */
  unsettle(dice: Dice): Promise<string>;
  /** Ends the sessions that read. */
  terminate(): Promise<void>;
  /** Takes the table away, until the answer is called. */
  hide(): Promise<() => Promise<void>>;
  /** Every row as it is to arrive, by the source's names of columns. */
  rows(): Promise<{ rows: Row[]; meanings: ReadonlyMap<string, Meaning> }>;
}

/** What a read by tracking field is told of, and what it is not. */
export interface Told {
  /** Rows that were changed, added or taken away such that `at` does not tell: only a full read finds that out. */
  untold: Set<string>;
}

/** What identifies a row, when it was changed last, and what is in it, by id. */
export type Snapshot = ReadonlyMap<string, { at: string | null; content: string }>;

/** @param quiet whether `at` did not move with the change: what it did is then found out by nothing but a full read. */
export function note({ untold }: Told, before: Snapshot, after: Snapshot, quiet: boolean): void {
  for (const id of before.keys()) if (!after.has(id)) untold.add(id);
  for (const [id, { at, content }] of after) {
    const was = before.get(id);
    if (was?.content === content && was.at === at) continue;
    if (quiet) untold.add(id);
    else if (was?.at !== at) untold.delete(id);
  }
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
