import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { type Egress, EgressError, type EgressStream } from '../../egress/index.ts';
import { TidemarkError } from '../../errors.ts';

/** Milliseconds of silence, while a part is sent or received, until a request is tried again. */
const idle = 60_000;

/** Bytes of an answer that the SDK reads as a whole: a list of a thousand of the longest keys has a quarter of them. */
const longestAnswer = 16 * 1024 * 1024;

/** undici frames the body itself and does not wait for 100 Continue. The last is what the SDK finds in the environment. */
const leftOut = /^(expect|transfer-encoding|x-amzn-trace-id)$/i;

type Handler = S3Client['config']['requestHandler'];

/** Sends the SDK's requests through the egress guard: its own handler would resolve and dial whatever it is told. */
export function egressHandler(egress: Egress): Handler {
  return {
    async handle(request, options: { abortSignal?: unknown } = {}) {
      const { abortSignal } = options;
      const { protocol, hostname, port, path, query, method, body } = request;
      const headers = Object.entries(request.headers as Record<string, string>).filter(
        ([name]) => !leftOut.test(name),
      );
      try {
        const answer = await egress.stream({
          url: `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`,
          path: `${path}${queryString(query)}`,
          method,
          headers: Object.fromEntries(headers),
          body: body as string | Uint8Array | Readable,
          idle,
          ...(abortSignal === undefined ? {} : { signal: abortSignal as AbortSignal }),
        });
        const { status, headers: said } = answer;
        // An object's content is read by whoever asked for it, who knows how long it is.
        const isContent = status < 300 && query?.['x-id'] === 'GetObject';
        const given = isContent ? answer.body : bounded(answer);
        return { response: { statusCode: status, headers: said, body: given } };
      } catch (error) {
        throw retryable(error);
      }
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

function bounded({ body }: EgressStream): Readable {
  return Readable.from(
    (async function* () {
      let length = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > longestAnswer) throw tooLong();
        yield chunk;
      }
    })(),
  );
}

function tooLong(): TidemarkError {
  const reason = `the store's answer is longer than ${longestAnswer / 1024 / 1024} MiB, which no list or error is`;
  return new TidemarkError('unprocessable', { reason });
}

/** The SDK tries again what has this name; an address that is refused stays refused. */
function retryable(error: unknown): unknown {
  if (!(error instanceof EgressError)) return error;
  const { failure } = error;
  if (failure === 'refused_address' || failure === 'invalid_url' || failure === 'tls') return error;
  return Object.assign(new Error(error.message, { cause: error }), { name: 'TimeoutError' });
}

/** As the signature is computed: everything but letters, digits and `-._~` is escaped. */
function queryString(query: Record<string, string | string[] | null> = {}): string {
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    values === null ? [escaped(name)] : [values].flat().map((value) => `${escaped(name)}=${escaped(value)}`),
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
