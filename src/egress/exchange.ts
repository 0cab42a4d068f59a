import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Connection, Opening } from './connection.ts';
import type { EgressResponse } from './contract.ts';

/** Bytes of a response that are read; the rest is nobody's business and may have no end. */
const maxResponse = 64 * 1024;

const open: Opening = { dns: null, connect: null, tls: null };

/** @param inOrder whether the connection may have a next request. */
type Settle = (outcome: EgressResponse | Error, inOrder: boolean) => void;

/**
 * One request and its response. undici's `request` would make a stream of every response body, which costs more
 * than all the rest of a small exchange.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #connection: Connection;
  readonly #settle: Settle;
  readonly #started = performance.now();
  #opening = open;
  #sent: number | undefined;
  #answered = 0;
  #status = 0;
  #headers: Record<string, string> = {};
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(connection: Connection, settle: Settle) {
    this.#connection = connection;
    this.#settle = settle;
  }

  /** Ends it now, in whatever state it is. */
  giveUp(reason: Error): void {
    this.#settle(reason, false);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#opening = this.#connection.begin(controller) ?? open;
    this.#sent = performance.now();
  }

  onResponseStart(_controller: unknown, status: number, headers: IncomingHttpHeaders): void {
    // 103 and its like come before the response.
    if (status < 200) return;
    this.#answered = performance.now();
    this.#status = status;
    this.#headers = flatten(headers);
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#chunks.push(chunk.subarray(0, maxResponse - this.#size));
    this.#size += chunk.length;
    if (this.#size >= maxResponse) this.#end(false);
  }

  onResponseEnd(): void {
    this.#end(true);
  }

  onResponseError(_controller: unknown, error: Error): void {
    const { status } = this.#connection;
    const isTooLong = 'code' in error && error.code === 'UND_ERR_HEADERS_OVERFLOW';
    if (!isTooLong || status === undefined) {
      this.#settle(error, false);
      return;
    }
    // What came of the request is known all the same.
    this.#answered = performance.now();
    this.#status = status;
    this.#end(false);
  }

  #end(inOrder: boolean): void {
    const [sent, total] = [this.#sent, performance.now() - this.#started];
    const firstByte = sent === undefined ? null : this.#answered - sent;
    const timing = { ...this.#opening, firstByte, total };
    const body = Buffer.concat(this.#chunks);
    this.#settle({ status: this.#status, headers: this.#headers, body, timing }, inOrder);
  }
}

export function flatten(headers: IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}
