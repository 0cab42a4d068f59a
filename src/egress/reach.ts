import net from 'node:net';
import type { AddressPolicy } from './addresses.ts';
import { EgressError } from './contract.ts';
import { dial } from './dial.ts';
import type { Names, Resolve } from './names.ts';

export interface Destination {
  /** A name or an address, without brackets. */
  hostname: string;
  port: number;
  /** On whose behalf. */
  tenant: string;
  signal: AbortSignal;
  /** Makes a socket that is not connected. */
  socket?: () => net.Socket;
}

export interface Reached {
  socket: net.Socket;
  /** Readings of performance.now(). */
  started: number;
  resolved: number;
  connected: number;
}

/** Connects to whoever a user has named. @throws EgressError, or what the socket met. */
export type Reach = (destination: Destination) => Promise<Reached>;

/**
 * The one way to a socket: a name is resolved once, only addresses that the policy allows are dialled, and the address
 * that the socket has reached is looked at once more. Nothing is left to resolve differently between check and connect.
 */
export function guardedReach(policy: AddressPolicy, names: Names | Resolve): Reach {
  return async ({ hostname, port, tenant, signal, socket }) => {
    const started = performance.now();
    const known = net.isIP(hostname) !== 0;
    const addresses = known ? [hostname] : await addressesOf(names, hostname, tenant, signal);
    const permitted = permittedOf(policy, hostname, port, addresses);
    const resolved = performance.now();
    try {
      const dialled = await dial({
        port,
        addresses: permitted,
        permits: (address) => policy.allows(address, port),
        signal,
        ...(socket === undefined ? {} : { socket }),
      });
      return { socket: dialled, started, resolved, connected: performance.now() };
    } catch (error) {
      if (!known && typeof names !== 'function') names.forget(hostname);
      throw error;
    }
  };
}

async function addressesOf(
  names: Names | Resolve,
  hostname: string,
  tenant: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    const found = typeof names === 'function' ? names(hostname, tenant) : names.resolve(hostname, tenant);
    const answers = await Promise.race([found, aborted.promise]);
    return answers.map((answer) => (typeof answer === 'string' ? answer : answer.address));
  } catch (cause) {
    if (signal.aborted || cause instanceof EgressError) throw cause;
    throw new EgressError('dns', `the name ${hostname} does not resolve`, { cause });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * Those that may be dialled. A name that leads to the public and to a private network at once is refused whole: that is
 * what a name looks like that tries to get in.
 */
function permittedOf(
  policy: AddressPolicy,
  hostname: string,
  port: number,
  addresses: readonly string[],
): readonly string[] {
  if (addresses.length === 0) throw new EgressError('dns', `the name ${hostname} has no address`);
  const permitted = addresses.filter((address) => policy.allows(address, port));
  const mixed = permitted.length < addresses.length && permitted.some((address) => policy.isPublic(address));
  if (permitted.length === 0 || mixed) throw refusal(hostname);
  return permitted;
}

function refusal(hostname: string): EgressError {
  return new EgressError(
    'refused_address',
    `${hostname} is or resolves to a private, loopback, link-local or reserved address; the operator can allow it with TIDEMARK_EGRESS_ALLOW (loopback, private, or a range)`,
  );
}
