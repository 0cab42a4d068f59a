import { TidemarkError } from '../errors.ts';
import type { RowStream, ValueWarning } from './contract.ts';

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
