import diagnostics from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Timing } from './contract.ts';

/** Readings of performance.now(). */
interface Connection {
  started: number;
  resolved: number;
  connected: number;
}

type Opening = Pick<Timing, 'dns' | 'connect' | 'tls'>;
const unknown: Opening = { dns: null, connect: null, tls: null };

const openings = new WeakMap<object, Opening>();
const requests = new WeakMap<Buffer, Opening & { sent: number }>();

/** Keeps how long a new connection took, for the first request on it. */
export function noteConnection(socket: Socket, { started, resolved, connected }: Connection): void {
  openings.set(socket, {
    dns: resolved - started,
    connect: connected - resolved,
    tls: 'encrypted' in socket ? performance.now() - connected : null,
  });
}

/**
 * undici says which request went out on which socket on this channel only. The request is known by the
 * identity of its body buffer, which undici hands through.
 */
diagnostics.subscribe('undici:client:sendHeaders', (message) => {
  const { request, socket } = message as { request: { body?: unknown }; socket: object };
  if (!Buffer.isBuffer(request.body)) return;
  requests.set(request.body, { ...(openings.get(socket) ?? unknown), sent: performance.now() });
  openings.delete(socket);
});

/** @param started,answered readings of performance.now() at the call and at the response's headers. */
export function timingOf(body: Buffer | null, started: number, answered: number): Timing {
  const sending = body === null ? undefined : requests.get(body);
  const { dns, connect, tls } = sending ?? unknown;
  return {
    dns,
    connect,
    tls,
    firstByte: sending === undefined ? null : answered - sending.sent,
    total: performance.now() - started,
  };
}
