import { Connection, keyOf } from './connection.ts';
import { EgressError } from './contract.ts';
import type { Reach } from './reach.ts';

/** Connections that wait for a next request, over all tenants: the one that has waited longest makes room. */
const mostIdle = 1024;

/** All HTTP connections: who has one has it alone, until it is left in order or dropped. */
export class Connections {
  readonly #reach: Reach;
  readonly #all = new Set<Connection>();
  /** In the order in which they were left. */
  readonly #idle = new Set<Connection>();
  /** The same by tenant and origin; the last one was left last. */
  readonly #byKey = new Map<string, Connection[]>();
  #closed = false;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  take(origin: string, tenant: string): Connection {
    if (this.#closed) throw new EgressError('reset', 'this process stops');
    const kept = this.#byKey.get(keyOf(origin, tenant))?.at(-1);
    if (kept !== undefined) {
      this.#forget(kept);
      return kept;
    }
    const opened = new Connection(origin, tenant, this.#reach, (one) => {
      if (this.#idle.has(one)) this.drop(one, new Error('the connection has ended'));
    });
    this.#all.add(opened);
    return opened;
  }

  /** Its request has ended in order, and the next may follow. */
  leave(one: Connection): void {
    if (!this.#all.has(one)) return;
    this.#idle.add(one);
    const alike = this.#byKey.get(one.key);
    if (alike === undefined) this.#byKey.set(one.key, [one]);
    else alike.push(one);
    const [oldest] = this.#idle;
    if (this.#idle.size > mostIdle && oldest !== undefined)
      this.drop(oldest, new Error('its place is needed'));
  }

  drop(one: Connection, reason: Error): void {
    this.#forget(one);
    this.#all.delete(one);
    one.drop(reason);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const one of this.#all) this.drop(one, new EgressError('reset', 'this process stops'));
  }

  #forget(one: Connection): void {
    if (!this.#idle.delete(one)) return;
    const alike = this.#byKey.get(one.key)?.filter((other) => other !== one) ?? [];
    if (alike.length === 0) this.#byKey.delete(one.key);
    else this.#byKey.set(one.key, alike);
  }
}
