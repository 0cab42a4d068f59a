/** Milliseconds that a connection waits for the next question. A server or pooler with few places is not to miss it for long. */
const waitsAtMost = 1_000;

/**
 * The connection that the last question of a connector's session left, for the next one within a moment: an execution asks
 * a server several things in a row, and to connect takes both sides longer than most of the answers.
 */
export class KeptConnection<Client> {
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #isOpen: (client: Client) => boolean;
  readonly #end: (client: Client) => Promise<void>;

  constructor(isOpen: (client: Client) => boolean, end: (client: Client) => Promise<void>) {
    this.#isOpen = isOpen;
    this.#end = end;
  }

  /** It may have been lost unnoticed: the first query tells. */
  take(): Client | undefined {
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    return client !== undefined && this.#isOpen(client) ? client : undefined;
  }

  /** @param client outside any transaction, with nothing left in it that the next one could meet. */
  keep(client: Client): void {
    this.end();
    this.#client = client;
    this.#timer = setTimeout(() => this.end(), waitsAtMost);
    this.#timer.unref();
  }

  /** Says goodbye, and waits for nothing. */
  end(): void {
    const client = this.take();
    if (client !== undefined) void this.#end(client).catch(() => {});
  }
}
