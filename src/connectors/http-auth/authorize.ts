import { TidemarkError } from '../../errors.ts';
import type { HttpAuth } from './configuration.ts';
import { type Headers, setHeader, spelled } from './headers.ts';

/**
 * Adds the proof of who sends a request to it; OAuth's token comes later.
 *
 * @param headers with those that are configured besides.
 * @param within the configuration, where `auth` stands.
 * @throws unprocessable
 */
export function authorize(url: URL, headers: Headers, auth: HttpAuth = {}, within = 'auth.'): void {
  const { basic, header, query, oauth } = auth;
  for (const { name, value } of query ?? []) if (name) url.searchParams.append(name, value ?? '');
  refuseSecond(headers, auth, within);
  if (basic && hasBasic(basic)) headers.Authorization = basicAuthorization(basic);
  if (header?.name) setHeader(headers, header.name, header.value ?? '');
  if (oauth?.client_id && !URL.canParse(oauth.token_endpoint ?? '')) {
    throw wrong(`${within}oauth.token_endpoint`, 'is not a URL');
  }
}

/** Receivers of two Authorization headers take one of them, and which is up to them. */
function refuseSecond(headers: Headers, { basic, header, oauth }: HttpAuth, within: string): void {
  const sender = oauth?.client_id ? 'oauth' : hasBasic(basic) ? 'basic' : undefined;
  const isHeader = header?.name?.toLowerCase() === 'authorization';
  const further = spelled(headers, 'authorization');
  if (further !== undefined && (sender !== undefined || isHeader)) {
    throw wrong('headers', `has ${further}, which the authentication sends already: leave out one of them`);
  }
  if (isHeader && sender !== undefined) {
    throw wrong(`${within}header.name`, `is what ${within}${sender} sends already: leave out one of them`);
  }
}

const hasBasic = (basic: HttpAuth['basic']) => Boolean(basic?.username || basic?.password);

export function basicAuthorization({
  username = '',
  password = '',
}: {
  username?: string;
  password?: string;
}) {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

export function wrong(key: string, reason: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason: `configuration.${key}: ${reason}` });
}
