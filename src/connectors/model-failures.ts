/** How a write of a model destination fails: see `ModelWriter` in contract.ts. */

/**
 * The destination refused a batch and kept none of it. The caller splits it and tries again, until the record at fault
 * stands alone: which codes speak of content no list could say, since triggers and gateways raise any of them.
 */
export class BatchRefused extends Error {
  override name = 'BatchRefused';
  /** Place in the batch of the record that is at fault, where the destination says so: the others are not suspects. */
  readonly place: number | undefined;
  /** The answer may be about the destination rather than about the batch: it might refuse any other. */
  readonly unsure: boolean;
  readonly #kind: string | undefined;

  /** @param options.kind where refusals are alike by something else than their message. */
  constructor(
    message: string,
    options: ErrorOptions & { place?: number | undefined; unsure?: boolean; kind?: string } = {},
  ) {
    super(message, options);
    this.place = options.place;
    this.unsure = options.unsure ?? false;
    this.#kind = options.kind;
  }

  /** Refusals of one kind are alike: the message without what differs from record to record. */
  get kind(): string {
    return this.#kind ?? this.message.replaceAll(/"[^"]*"|'[^']*'|\([^)]*\)|\d+/g, '…');
  }
}

/** A replacement was refused for some of its records alone. */
export class RecordsRefused extends BatchRefused {
  override name = 'RecordsRefused';
  /** Why, by their identities as the destination writes them. */
  readonly reasons: ReadonlyMap<string, string>;

  constructor(message: string, reasons: ReadonlyMap<string, string>) {
    super(message);
    this.reasons = reasons;
  }
}

/** The destination could not be reached or opened: it has seen nothing of the batch. */
export class Unreachable extends Error {
  override name = 'Unreachable';
}

/** The batch met something that passes, like a deadlock or a lock of somebody else. Nothing of it was kept. */
export class Contended extends Error {
  override name = 'Contended';
}

/** The destination has too much to do: what was sent is good, and wanted later. Nothing of it was kept. */
export class Busy extends Error {
  override name = 'Busy';
  /** Milliseconds that it asks to be left alone, 0 when it does not say. */
  readonly pause: number;

  constructor(message: string, pause: number) {
    super(message);
    this.pause = pause;
  }
}
