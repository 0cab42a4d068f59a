import { BatchRefused } from '../connectors/index.ts';
import { messageOf } from '../errors.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { SyncFailed } from './sync-failed.ts';

/** A batch that kept failing though it was tried again. Alone, a record of it may be what its destination fails over. */
export class NotPassing extends BatchRefused {
  override name = 'NotPassing';
}

/**
 * Records in a row that are refused alike, each by itself, until the destination is taken to refuse any: of answers that
 * come at once, and of failures that are waited for.
 */
const atMost = { answer: 50, failure: 20 };
/** The same of answers that say it is the record, where they are all that there has been. */
const blamedAtMost = 1_000;
/** Milliseconds of such failures, where three are enough. */
const patience = 5 * 60_000;

/** Identities that a message names. */
const namedAtMost = 5;

interface Suspect {
  batch: PlannedBatch;
  error: BatchRefused;
}

/**
 * Records that were refused alone while it is not known whether the destination would take any other. What passes after
 * them clears the destination: then the refusals are the records' own. Nothing behind them may be written down before.
 */
export class Suspects {
  readonly #refuse: (batch: PlannedBatch, reason: string) => Promise<void>;
  readonly #canTell: boolean;
  #held: Suspect[] = [];
  #blamed = 0;
  #since = 0;
  #hasPassed: boolean;

  /**
   * @param hasPassed the destination has taken records of this execution.
   * @param canTell it has been asked what it makes of a batch without records.
   */
  constructor(
    hasPassed: boolean,
    canTell: boolean,
    refuse: (batch: PlannedBatch, reason: string) => Promise<void>,
  ) {
    this.#hasPassed = hasPassed;
    this.#canTell = canTell;
    this.#refuse = refuse;
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
    await this.#refuse(batch, error.message);
    this.#blamed++;
    if (this.#hasPassed || this.#canTell || this.#blamed < blamedAtMost) return;
    throw failed(this.#blamed, '', error);
  }

  /** @throws SyncFailed when the destination seems to refuse any record. */
  async hold(batch: PlannedBatch, error: BatchRefused): Promise<void> {
    const [first] = this.#held;
    if (first !== undefined && kindOf(first.error) !== kindOf(error)) await this.#settle();
    if (this.#held.length === 0) this.#since = performance.now();
    this.#held.push({ batch, error });
    const count = this.#held.length;
    const isFailure = error instanceof NotPassing;
    const isLong = isFailure && count >= 3 && performance.now() - this.#since > patience;
    if (isLong || count >= (isFailure ? atMost.failure : atMost.answer)) await this.#fail(error);
  }

  /** Nothing is left to be tried. @throws SyncFailed when there were several, and nothing but them. */
  async end(): Promise<void> {
    const last = this.#held.at(-1);
    const isAll = !this.#hasPassed && this.#blamed === 0;
    if (last !== undefined && this.#held.length > 1 && isAll) await this.#fail(last.error);
    await this.#settle();
  }

  async #settle(): Promise<void> {
    for (const { batch, error } of this.#held.splice(0)) await this.#refuse(batch, error.message);
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

/** Refusals are alike that begin alike: what follows may tell of the record. */
function kindOf(error: BatchRefused): string {
  return error instanceof NotPassing ? 'failure' : (error.message.split(':', 1)[0] ?? '');
}
