import type { Client } from 'pg';

/** Sessions that wait for more work at a time; what more comes is ended. */
const keptAtMost = 8;

/**
 * Sessions between two pieces of work. To open one costs a server process and, with SCRAM, some milliseconds of
 * both machines' time, which a small table or range would wait for longer than for its rows.
 */
export class IdleSessions {
  readonly #idle = new Set<Client>();
  readonly #open: () => Promise<Client>;

  constructor(open: () => Promise<Client>) {
    this.#open = open;
  }

  /** One that waits, or a new one. It may have been lost unnoticed: the first query tells. */
  async take(): Promise<Client> {
    for (const client of this.#idle) {
      this.#idle.delete(client);
      return client;
    }
    const client = await this.#open();
    client.once('end', () => this.#idle.delete(client));
    return client;
  }

  /** @param client outside any transaction, with nothing set that outlives one. */
  giveBack(client: Client): void {
    if (this.#idle.size < keptAtMost) this.#idle.add(client);
    else void client.end().catch(() => {});
  }

  async end(): Promise<void> {
    const clients = [...this.#idle];
    this.#idle.clear();
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}
