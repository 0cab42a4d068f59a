import { type Egress, type EgressError, type EgressStream, toEgressError } from '../../egress/index.ts';
import { TidemarkError } from '../../errors.ts';
import { Busy, ConnectionLost } from '../contract.ts';
import { largestFile, receive, tooBig } from '../file-formats/receive.ts';
import { fetchToken } from '../http-auth/index.ts';
import { passing } from '../passing-answer.ts';
import type { Configuration } from './configuration.ts';
import { type FileRequest, fileRequest } from './request.ts';

/** Milliseconds of silence, and for the whole file. */
const idle = 60_000;
const deadline = 3_600_000;
const mostRedirects = 5;
/** Answers that have the file, or say that it is the one we have. A 206 has a part of it. */
const whole = new Set([200, 203, 304]);

export interface Download {
  egress: Egress;
  signal?: AbortSignal;
  limit?: number;
  /** What a download before this one gave: then it may be found unchanged. */
  since?: Validators;
}

/** Tell one version of the file from another. Empty: the server gives none. */
export interface Validators {
  etag?: string;
  modified?: string;
}

/**
 * Stores the file, unpacked, and tells its version; undefined when it is unchanged since the last download.
 *
 * @throws unprocessable for what will not work, ConnectionLost for what may work later.
 */
export function download(
  configuration: Configuration,
  file: string,
  context: Download,
): Promise<Validators | undefined> {
  const { limit = largestFile, since } = context;
  return exchange(configuration, context, since, async ({ status, headers, body }, name, signal) => {
    if (status === 304) return undefined;
    if (Number(headers['content-length']) > limit) throw tooBig(name, limit);
    await receive(body, file, { name, limit, signal });
    const { etag, 'last-modified': modified } = headers;
    return { ...(etag === undefined ? {} : { etag }), ...(modified === undefined ? {} : { modified }) };
  });
}

/** Whether the file would be given. */
export async function probe(configuration: Configuration, context: Download): Promise<void> {
  await exchange(configuration, context, undefined, async () => {});
}

async function exchange<Result>(
  configuration: Configuration,
  { egress, signal }: Download,
  since: Validators = {},
  use: (answer: EgressStream, name: string, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const timeout = AbortSignal.timeout(deadline);
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  try {
    const request = fileRequest(configuration);
    const { oauth } = configuration.auth ?? {};
    if (oauth?.client_id) request.headers.Authorization = `Bearer ${await fetchToken(oauth, egress, either)}`;
    if (since.etag !== undefined) request.headers['If-None-Match'] = since.etag;
    if (since.modified !== undefined) request.headers['If-Modified-Since'] = since.modified;
    const answer = await follow(request, egress, either);
    try {
      return await use(answer, request.url.href.split(/[?#]/)[0] ?? '', either);
    } finally {
      answer.body.destroy();
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (timeout.aborted) throw new ConnectionLost(`the file took longer than ${deadline / 60_000} minutes`);
    if (error instanceof TidemarkError || error instanceof ConnectionLost) throw error;
    if (error instanceof Busy) throw new ConnectionLost(error.message, { cause: error, pause: error.pause });
    const failure = toEgressError(error);
    throw isPassing(failure)
      ? new ConnectionLost(failure.message, { cause: error })
      : refused(failure.message);
  }
}

/**
 * Follows redirects: places that hold files often answer with the address of another one. Each address is checked
 * like the first, and what proves who we are stays with the first.
 */
async function follow(request: FileRequest, egress: Egress, signal: AbortSignal): Promise<EgressStream> {
  let { url, headers } = request;
  for (let redirects = 0; ; redirects++) {
    const answer = await egress.stream({ url: url.href, method: 'GET', headers, idle, signal });
    const { location } = answer.headers;
    if (whole.has(answer.status)) return answer;
    answer.body.destroy();
    if (answer.status < 300) throw refused(`the URL answered ${answer.status}, which is not the whole file`);
    if (answer.status >= 400 || location === undefined) throw unanswered(answer);
    if (redirects === mostRedirects)
      throw refused(`the URL leads through more than ${mostRedirects} redirects`);
    if (!URL.canParse(location, url.href)) throw refused(`the URL leads to ${location}, which is no URL`);
    const next = new URL(location, url);
    if (url.protocol === 'https:' && next.protocol !== 'https:')
      throw refused('the URL leads from https: to http:');
    if (next.origin !== url.origin) headers = { 'User-Agent': headers['User-Agent'] ?? '' };
    url = next;
  }
}

function unanswered({ status, headers }: EgressStream): Error {
  const text = `the URL answered ${status}`;
  const later = passing({ status, headers });
  if (later !== undefined) return new ConnectionLost(text, { pause: later.pause });
  const remedy = status === 401 || status === 403 ? ': check configuration.auth' : '';
  return refused(`${text}${remedy}`);
}

function isPassing({ failure }: EgressError): boolean {
  return failure !== 'refused_address' && failure !== 'invalid_url' && failure !== 'tls';
}

function refused(reason: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason });
}
