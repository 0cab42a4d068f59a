import net from 'node:net';

/** Milliseconds until the next address is tried beside those before (RFC 8305, 5), and for all of them. */
const headStart = 250;
const deadline = 10_000;

export interface DialOptions {
  port: number;
  /** Those that may be dialled. At least one. */
  addresses: readonly string[];
  /** Makes a socket that is not connected. */
  socket?: () => net.Socket;
  /** What counts is where a socket ended up. */
  permits(address: string): boolean;
  signal: AbortSignal;
}

/**
 * Connects to the first address that answers. An address that is slow or dead is left behind, not given up, while the
 * others are tried. Node's own way gives it up after a quarter of a second, and nothing far away is ever reached.
 */
export function dial({
  port,
  addresses,
  socket = () => new net.Socket(),
  permits,
  signal,
}: DialOptions): Promise<net.Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const waiting = alternating(addresses);
  const attempts = new Set<net.Socket>();
  let [failure, failures]: [Error | undefined, number] = [undefined, 0];
  let next: NodeJS.Timeout | undefined;

  const settle = (winner: net.Socket | undefined, error?: unknown) => {
    clearTimeout(next);
    clearTimeout(late);
    signal.removeEventListener('abort', abort);
    attempts.delete(winner as net.Socket);
    for (const other of attempts) other.destroy();
    if (winner === undefined) reject(error);
    else resolve(winner);
  };
  const abort = () => settle(undefined, signal.reason);
  const failed = (error: Error) => {
    failure ??= error;
    failures++;
    if (waiting.length > 0) start();
    else if (attempts.size === 0) settle(undefined, summed(failure, failures));
  };
  const start = () => {
    clearTimeout(next);
    const address = waiting.shift();
    if (address === undefined) return;
    const attempt = socket();
    attempts.add(attempt);
    const lost = (error: Error) => {
      attempts.delete(attempt);
      failed(error);
    };
    // Afterwards as well: a socket that lost the race must not end the process.
    attempt.once('error', lost).on('error', () => {});
    attempt.once('connect', () => {
      attempt.off('error', lost);
      if (permits(attempt.remoteAddress ?? '')) return settle(attempt);
      attempt.destroy();
      lost(new Error('the connection led to an address that is not allowed'));
    });
    attempt.connect(port, address);
    if (waiting.length > 0) next = setTimeout(start, headStart);
  };
  const late = setTimeout(() => settle(undefined, timedOut(port, addresses)), deadline);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  else start();
  return promise;
}

/** IPv6 and IPv4 in turn, beginning with the family of the first. */
function alternating(addresses: readonly string[]): string[] {
  const family = net.isIP(addresses[0] ?? '');
  const own = addresses.filter((address) => net.isIP(address) === family);
  const others = addresses.filter((address) => net.isIP(address) !== family);
  return own
    .flatMap((address, index) => [address, ...others.slice(index, index + 1)])
    .concat(others.slice(own.length));
}

function summed(first: Error, failures: number): Error {
  if (failures === 1) return first;
  const { code } = first as NodeJS.ErrnoException;
  const text = `${first.message}, and ${failures - 1} more ${failures === 2 ? 'address' : 'addresses'} failed`;
  return Object.assign(new Error(text, { cause: first }), { code });
}

function timedOut(port: number, addresses: readonly string[]): Error {
  const where = addresses.length === 1 ? `${addresses[0]}:${port}` : `${addresses.length} addresses`;
  const text = `no connection to ${where} within ${deadline / 1000} s`;
  return Object.assign(new Error(text), { code: 'ETIMEDOUT' });
}
