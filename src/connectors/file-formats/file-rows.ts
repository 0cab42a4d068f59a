import { Readable } from 'node:stream';
import type { RowStream, ValueWarning } from '../contract.ts';
import { countRows } from './copy-text-rows.ts';
import type { WarningCounts } from './warning-counts.ts';

/** Rows of COPY text as a stream. Destroying it ends the read. */
export class FileRows extends Readable implements RowStream {
  rows = 0;
  bytes = 0;
  sent: number | undefined;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #warnings: WarningCounts;
  readonly #counted: () => number | undefined;

  /**
   * @param chunks pieces that end with a row.
   * @param counted their rows, as whoever makes them counts; looked at when they have ended.
   */
  constructor(chunks: AsyncIterable<Buffer>, warnings: WarningCounts, counted: () => number | undefined) {
    super({ highWaterMark: 1024 * 1024 });
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#warnings = warnings;
    this.#counted = counted;
  }

  get warnings(): readonly ValueWarning[] {
    return this.#warnings.list();
  }

  override _read(): void {
    this.#chunks.next().then(
      ({ done, value }) => {
        if (done) {
          this.sent = this.#counted();
          this.push(null);
          return;
        }
        this.rows += countRows(value);
        this.bytes += value.length;
        this.push(value);
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // What is being read on the way ends with the session's signal; nobody waits for it.
    void this.#chunks.return?.().catch(() => {});
    done(error);
  }
}
