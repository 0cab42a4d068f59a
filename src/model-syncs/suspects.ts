import { BatchRefused } from '../connectors/index.ts';
import { messageOf } from '../errors.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { SyncFailed } from './sync-failed.ts';

/** A batch that kept failing though it was tried again. Alone, a record of it may be what its destination fails over. */
export class NotPassing extends BatchRefused {
  override name = 'NotPassing';

  override get kind(): string {
    return this.name;
  }
}

/**
 * Records in a row that are refused alike, each by itself, until others are tried: of answers that come at once, and of
 * failures that are waited for.
 */
const atMost = { answer: 50, failure: 20 };
/** The same of answers that say it is the record, where they are all that there has been. */
const blamedAtMost = 1_000;
/** Milliseconds of such failures, where three are enough. */
const patience = 5 * 60_000;

/** Identities that a message names. */
const namedAtMost = 5;

/** What the execution before this one says of records that are refused. */
export interface RefusedBefore {
  count: number;
  /** It came to its end: others were taken. */
  isCompleted: boolean;
}

interface Suspect {
  batch: PlannedBatch;
  error: BatchRefused;
}

interface Asking {
  /** Writes down that a record was refused. */
  refuse(batch: PlannedBatch, reason: string): Promise<void>;
  /** Whether the destination takes any record that comes after these. */
  isAnyTaken(after: PlannedBatch, error: BatchRefused): Promise<boolean>;
}

/**
 * Records that were refused alone while it is not known whether the destination would take any other. What passes after
 * them clears the destination: then the refusals are the records' own. Nothing behind them may be written down before.
 *
 * As many as were refused by the execution before are expected to be refused again: without that, some that are refused
 * whatever happens would keep every execution from those behind them.
 */
export class Suspects {
  readonly #asking: Asking;
  readonly #canTell: boolean;
  readonly #before: RefusedBefore;
  #held: Suspect[] = [];
  #blamed = 0;
  #since = 0;
  #hasPassed: boolean;

  /**
   * @param hasPassed the destination has taken records of this execution.
   * @param canTell it has been asked what it makes of a batch without records.
   */
  constructor(hasPassed: boolean, canTell: boolean, before: RefusedBefore, asking: Asking) {
    this.#hasPassed = hasPassed;
    this.#canTell = canTell;
    this.#before = before;
    this.#asking = asking;
  }

  get areHeld(): boolean {
    return this.#held.length > 0;
  }

  /** The destination has taken something: what it refused before it did so for what that was. */
  async clear(): Promise<void> {
    this.#hasPassed = true;
    await this.#settle();
  }

  /** The destination says that the record is to blame. @throws SyncFailed when it says so of everything. */
  async refuse(batch: PlannedBatch, error: BatchRefused): Promise<void> {
    await this.#settle();
    await this.#asking.refuse(batch, error.message);
    this.#blamed++;
    if (this.#hasPassed || this.#canTell) return;
    if (this.#blamed < blamedAtMost + Math.min(this.#before.count, 9 * blamedAtMost)) return;
    if (await this.#asking.isAnyTaken(batch, error)) this.#hasPassed = true;
    else throw failed(this.#blamed, '', error);
  }

  /** @throws SyncFailed when the destination seems to refuse any record. */
  async hold(batch: PlannedBatch, error: BatchRefused): Promise<void> {
    const [first] = this.#held;
    if (first !== undefined && first.error.kind !== error.kind) await this.#settle();
    if (this.#held.length === 0) this.#since = performance.now();
    this.#held.push({ batch, error });
    if (!this.#areMany(error)) return;
    if (await this.#asking.isAnyTaken(batch, error)) await this.clear();
    else await this.#fail(error);
  }

  #areMany(error: BatchRefused): boolean {
    const { length } = this.#held;
    if (!(error instanceof NotPassing)) {
      return length >= Math.min(atMost.answer + this.#before.count, blamedAtMost);
    }
    return length >= atMost.failure || (length >= 3 && performance.now() - this.#since > patience);
  }

  /** Nothing is left to be tried. @throws SyncFailed when there were several, and nothing but them. */
  async end(): Promise<void> {
    const last = this.#held.at(-1);
    const { isCompleted, count } = this.#before;
    const isAll = !this.#hasPassed && this.#blamed === 0;
    const expected = isCompleted ? Math.max(count, 1) : 1;
    if (last !== undefined && this.#held.length > expected && isAll) await this.#fail(last.error);
    await this.#settle();
  }

  async #settle(): Promise<void> {
    for (const { batch, error } of this.#held.splice(0)) await this.#asking.refuse(batch, error.message);
  }

  async #fail(error: BatchRefused): Promise<never> {
    const count = this.#held.length;
    const named = this.#held.slice(0, namedAtMost).map(({ batch }) => batch.identity(0).key);
    await this.#settle();
    throw failed(count, ` (${named.join(', ')}${count > named.length ? ', …' : ''})`, error);
  }
}

function failed(count: number, names: string, error: BatchRefused): SyncFailed {
  const what = `The target took none of ${count} records in a row, each sent by itself${names}`;
  return new SyncFailed(`${what}: ${messageOf(error)}`, { cause: error });
}
