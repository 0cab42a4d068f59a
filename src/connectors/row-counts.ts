import { TidemarkError } from '../errors.ts';
import type { BulkOutput, LoadPlan, RowStream, ValueWarning } from './contract.ts';

/**
 * Holds the rows of a stream that has ended against what the destination stored of them, each by its own word.
 *
 * @throws rows_differ
 */
export function compareRows({ sent, rows }: Pick<RowStream, 'sent' | 'rows'>, stored: number): void {
  if (sent === rows && rows === stored) return;
  throw rowsDiffer(
    `the source sent ${sent ?? 'an unknown number of'} rows, ${rows} came over the wire, the destination stored ${stored}`,
    sent ?? rows,
    sent === undefined || sent === stored ? rows : stored,
  );
}

/**
 * Holds what is about to become live against what was stored, or one count of the same rows against another.
 *
 * @param where they were counted, e.g. `the table beside copy.users`.
 * @throws rows_differ
 */
export function expectRows(where: string, expected: number, found: number): void {
  if (expected !== found)
    throw rowsDiffer(`${where} is to have ${expected} rows and has ${found}`, expected, found);
}

/** How a destination counts, after a merge and before its commit. */
export interface MergedCounts {
  /** Rows of the live table. @param unmarked a column in which they have nothing. */
  live(unmarked: string | undefined): Promise<number>;
  /** Staged rows that the live table does not have, by their key. */
  absent(): Promise<number>;
}

/**
 * Holds the live table against what was merged into it: where rows that did not come are removed or marked, it has those that
 * came and no others; else it has at least those.
 *
 * @param table for people. @param missing of the plan; a replacement removes them. @throws rows_differ
 */
export async function compareMerged(
  table: string,
  { rows, missing, deletedAt }: Pick<LoadPlan, 'missing'> & Pick<BulkOutput, 'deletedAt'> & { rows: number },
  { live, absent }: MergedCounts,
): Promise<void> {
  if (missing === undefined) expectRows(table, rows, rows - (await absent()));
  else expectRows(table, rows, await live(missing === 'mark' ? deletedAt : undefined));
}

/** What a stream of rows became. Only `written` makes one: a connector cannot store rows that were not compared. */
export class Written {
  readonly rows: number;
  /** What was changed on writing because the destination cannot hold it. */
  readonly warnings: ValueWarning[];

  private constructor(rows: number, warnings: ValueWarning[]) {
    this.rows = rows;
    this.warnings = warnings;
  }

  /**
   * To be made before the rows are noted as stored.
   *
   * @param stored rows by the destination's own word. @throws rows_differ
   */
  static of(stream: RowStream, stored: number, warnings: ValueWarning[]): Written {
    compareRows(stream, stored);
    return new Written(stored, warnings);
  }

  /** Of a range that an earlier try has stored, and compared then. */
  static before(rows: number): Written {
    return new Written(rows, []);
  }
}

function rowsDiffer(counts: string, expected: number, found: number): TidemarkError {
  const count = Math.abs(expected - found);
  const difference = `${count} ${count === 1 ? 'row' : 'rows'} ${found < expected ? 'missing' : 'too many'}`;
  return new TidemarkError('rows_differ', { counts, difference });
}
