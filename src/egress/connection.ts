import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { buildConnector, Client, type Dispatcher } from 'undici';
import { Answers } from './answers.ts';
import { EgressError, type Timing } from './contract.ts';
import { toEgressError } from './failure.ts';
import type { Reach } from './reach.ts';

/** Milliseconds that an idle connection is kept for the next request, if the other side says nothing, or at most. */
const idle = 10_000;
const longestIdle = 30_000;
const mostHeaders = 16 * 1024;

/** How long the parts of connecting took. */
export type Opening = Pick<Timing, 'dns' | 'connect' | 'tls'>;

const secure = buildConnector({ timeout: 10_000 });

/**
 * A connection of one tenant to one origin, with one request at a time. Where a request does not end well, the connection
 * ends with it: what comes of it afterwards is nobody's answer, and a silent one stays silent. HTTP/2 could carry more
 * requests at once, and each would fail with any other.
 */
export class Connection {
  readonly key: string;
  readonly #client: Client;
  readonly #ended = new AbortController();
  readonly #isPlain: boolean;
  #answers: Answers | undefined;
  #request: Dispatcher.DispatchController | undefined;
  #opening: Opening | undefined;

  /** @param onDisconnect the other side has closed it, or it was idle for too long. */
  constructor(origin: string, tenant: string, reach: Reach, onDisconnect: (one: Connection) => void) {
    this.key = keyOf(origin, tenant);
    this.#isPlain = origin.startsWith('http:');
    this.#client = new Client(origin, {
      connect: (options, callback) => {
        this.#connect(options, tenant, reach).then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
      },
      pipelining: 1,
      keepAliveTimeout: idle,
      keepAliveMaxTimeout: longestIdle,
      maxHeaderSize: mostHeaders,
    });
    this.#client.on('disconnect', () => onDisconnect(this));
  }

  /** @param handler tells of the one request that is under way, and calls `begin`. */
  send(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#answers?.expect();
    this.#request = undefined;
    this.#client.dispatch(options, handler);
  }

  /** The request goes out. @returns how long it took to connect for it; undefined where it was connected. */
  begin(request: Dispatcher.DispatchController): Opening | undefined {
    this.#request = request;
    const opening = this.#opening;
    this.#opening = undefined;
    return opening;
  }

  /** Of an answer that came, although it could not be read. */
  get status(): number | undefined {
    return this.#answers?.status;
  }

  /** Nothing more of the answer is given to its handler, until `resume`. */
  pause(): void {
    if (this.#answers === undefined) this.#request?.pause();
    else this.#answers.pause();
  }

  resume(): void {
    if (this.#answers === undefined) this.#request?.resume();
    else this.#answers.resume();
  }

  /**
   * Ends it, in whatever state it is. The socket is what ends: undici's own `destroy` of a session of HTTP/2 may throw
   * where nobody catches, when a stream that ends with it counts as one to be sent once more.
   */
  drop(reason: Error): void {
    if (this.#ended.signal.aborted) return;
    this.#request?.abort(reason);
    this.#ended.abort(reason);
  }

  /** Why no answer came, or not all of it. */
  explain(error: unknown): EgressError {
    const first = this.#answers?.first;
    if (this.#answers === undefined || error instanceof EgressError) return toEgressError(error);
    // A record of TLS: an alert, or a handshake.
    if (this.#isPlain && (first === 0x15 || first === 0x16)) {
      const text = 'the endpoint speaks TLS: its URL has to begin with https://';
      return new EgressError('tls', text, { cause: error });
    }
    const failure = toEgressError(error);
    if (first !== undefined || failure.failure !== 'reset') return failure;
    const guess = this.#isPlain
      ? 'an endpoint that wants https:// does so'
      : 'an endpoint that wants a client certificate does so, and Tidemark sends none';
    return new EgressError('reset', `the connection was closed without an answer (${guess})`, {
      cause: error,
    });
  }

  async #connect(options: buildConnector.Options, tenant: string, reach: Reach): Promise<Socket> {
    const hostname = options.hostname.replace(/^\[|\]$/g, '');
    const port = Number(options.port || (this.#isPlain ? 80 : 443));
    const { signal } = this.#ended;
    const reached = await reach({ hostname, port, tenant, signal });
    const plain = reached.socket;
    plain.setNoDelay(true).setKeepAlive(true, 60_000);
    const servername = options.servername || (isIP(hostname) === 0 ? hostname : '');
    signal.addEventListener('abort', () => plain.destroy(), { once: true });
    const socket = this.#isPlain
      ? plain
      : await encrypted({ ...options, servername, httpSocket: plain }, signal);
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
    this.#opening = {
      dns: reached.resolved - reached.started,
      connect: reached.connected - reached.resolved,
      tls: this.#isPlain ? null : performance.now() - reached.connected,
    };
    const isH2 = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2';
    this.#answers = isH2 ? undefined : new Answers(socket);
    return socket;
  }
}

export function keyOf(origin: string, tenant: string): string {
  return `${tenant} ${origin}`;
}

function encrypted(options: buildConnector.Options, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    secure(options, (error, socket) => (error === null ? resolve(socket) : reject(error)));
  });
}
