import { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import type { EgressStream, EgressStreamRequest } from './contract.ts';
import { flatten } from './exchange.ts';
import { toEgressError } from './failure.ts';
import { parseUrl } from './parse-url.ts';

/** An exchange whose bodies are streams: no deadline of its own and no limit, only a bound on silence. */
export async function stream(agent: Agent, request: EgressStreamRequest): Promise<EgressStream> {
  const { idle, method, signal } = request;
  const url = parseUrl(request.url);
  try {
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: request.path ?? `${url.pathname}${url.search}`,
      method: method as Dispatcher.HttpMethod,
      headers: { 'accept-encoding': 'identity', ...request.headers },
      body: request.body ?? null,
      headersTimeout: idle,
      bodyTimeout: idle,
      ...(signal === undefined ? {} : { signal }),
    });
    // undici reports a body that is destroyed before its end as an error; without a listener it would end the process.
    body.on('error', () => {});
    return { status: statusCode, headers: flatten(headers), body };
  } catch (error) {
    if (request.body instanceof Readable) request.body.destroy();
    if (signal?.aborted) throw error;
    throw toEgressError(error);
  }
}
