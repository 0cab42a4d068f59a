import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { EgressResponse } from './contract.ts';
import { timingOf } from './timing.ts';

/** Bytes of a response that are read; the rest is nobody's business and may have no end. */
const maxResponse = 64 * 1024;

type Settle = (outcome: EgressResponse | Error) => void;

/**
 * One request and its response. undici's `request` would make a stream of every response body, which costs more
 * than all the rest of a small exchange, and would hear of a signal only once there is a connection.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #body: Buffer | null;
  readonly #settle: Settle;
  readonly #started = performance.now();
  #controller: Dispatcher.DispatchController | undefined;
  /** Why it was given up, until the connection that must hear of it exists. */
  #givenUp: Error | undefined;
  #answered = 0;
  #status = 0;
  #headers: Record<string, string> = {};
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(body: Buffer | null, settle: Settle) {
    this.#body = body;
    this.#settle = settle;
  }

  /** Ends it now, in whatever state it is. */
  giveUp(reason: Error): void {
    this.#givenUp = reason;
    this.#settle(reason);
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#givenUp !== undefined) controller.abort(this.#givenUp);
    else this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    // 103 and its like come before the response.
    if (status < 200) return;
    this.#answered = performance.now();
    this.#status = status;
    this.#headers = flatten(headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk.subarray(0, maxResponse - this.#size));
    this.#size += chunk.length;
    if (this.#size < maxResponse) return;
    this.onResponseEnd();
    controller.abort(new Error('the response is longer than what is read of one'));
  }

  onResponseEnd(): void {
    this.#settle({
      status: this.#status,
      headers: this.#headers,
      body: Buffer.concat(this.#chunks),
      timing: timingOf(this.#body, this.#started, this.#answered),
    });
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#settle(error);
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
