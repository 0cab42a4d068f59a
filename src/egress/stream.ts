import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import { EgressError, type EgressStream, type EgressStreamRequest } from './contract.ts';
import { flatten } from './exchange.ts';
import { parseUrl } from './parse-url.ts';

/** An exchange whose bodies are streams: no deadline of its own and no limit, only a bound on silence. */
export async function stream(
  connections: Connections,
  tenant: string,
  request: EgressStreamRequest,
): Promise<EgressStream> {
  const { idle, method, signal } = request;
  const url = parseUrl(request.url);
  signal?.throwIfAborted();
  const connection = connections.take(url.origin, tenant);
  const answer = new StreamedAnswer(connections, connection, idle);
  const abort = () => answer.giveUp(signal?.reason);
  signal?.addEventListener('abort', abort);
  void answer.ended.then(() => signal?.removeEventListener('abort', abort));
  try {
    connection.send(
      {
        path: request.path ?? `${url.pathname}${url.search}`,
        method: method as Dispatcher.HttpMethod,
        headers: { 'accept-encoding': 'identity', ...request.headers },
        body: request.body ?? null,
        headersTimeout: idle,
        bodyTimeout: 0,
      },
      answer,
    );
    return await answer.begun;
  } catch (error) {
    if (request.body instanceof Readable) request.body.destroy();
    throw signal?.aborted ? error : connection.explain(error);
  }
}

/**
 * An answer that is read at the reader's pace. Without a pause of undici's own, which takes the other side's goodbye for
 * a broken answer when everything has come and a last part waits to be read.
 */
class StreamedAnswer implements Dispatcher.DispatchHandler {
  readonly #connections: Connections;
  readonly #connection: Connection;
  readonly #idle: number;
  readonly #begun = Promise.withResolvers<EgressStream>();
  readonly #ended = Promise.withResolvers<void>();
  #isOver = false;
  #body: Readable | undefined;
  #silence: NodeJS.Timeout | undefined;

  constructor(connections: Connections, connection: Connection, idle: number) {
    this.#connections = connections;
    this.#connection = connection;
    this.#idle = idle;
  }

  get begun(): Promise<EgressStream> {
    return this.#begun.promise;
  }

  /** Nothing more comes. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  giveUp(reason: Error): void {
    if (!this.#end()) return;
    this.#connections.drop(this.#connection, reason);
    this.#begun.reject(reason);
    this.#body?.destroy(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#connection.begin(controller);
  }

  onResponseStart(_controller: unknown, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    const body = new Readable({
      highWaterMark: 64 * 1024,
      read: () => this.#resume(),
      destroy: (error, done) => {
        this.giveUp(error ?? new Error('the reader has left'));
        done(error);
      },
    });
    // Whoever reads it hears of it; without a listener an error would end the process.
    body.on('error', () => {});
    this.#body = body;
    this.#watch();
    this.#begun.resolve({ status, headers: flatten(headers), body });
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#silence?.refresh();
    if (this.#body?.push(chunk) !== false) return;
    // Who waits for the reader does not wait for the other side.
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#connection.pause();
  }

  onResponseEnd(): void {
    if (!this.#end()) return;
    this.#connections.leave(this.#connection);
    this.#body?.push(null);
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.giveUp(this.#connection.explain(error));
  }

  #resume(): void {
    if (this.#isOver || this.#silence !== undefined) return;
    this.#watch();
    this.#connection.resume();
  }

  #watch(): void {
    this.#silence = setTimeout(() => {
      this.giveUp(new EgressError('timeout', `nothing came for ${this.#idle} ms`));
    }, this.#idle);
  }

  /** @returns whether it is now: from then on the connection may be another request's. */
  #end(): boolean {
    clearTimeout(this.#silence);
    const isNow = !this.#isOver;
    this.#isOver = true;
    this.#ended.resolve();
    return isNow;
  }
}
