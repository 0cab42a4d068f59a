import { TidemarkError } from '../../errors.ts';
import type { HttpAuth } from './configuration.ts';

/**
 * Adds the proof of who sends a request to it; OAuth's token comes later.
 *
 * @param within the configuration, where `auth` stands. @throws unprocessable
 */
export function authorize(
  url: URL,
  headers: Record<string, string>,
  auth: HttpAuth = {},
  within = 'auth.',
): void {
  const { basic, header, query, oauth } = auth;
  for (const { name, value } of query ?? []) if (name) url.searchParams.append(name, value ?? '');
  if (basic?.username || basic?.password) headers.Authorization = basicAuthorization(basic);
  if (header?.name) headers[header.name] = header.value ?? '';
  if (oauth?.client_id && !URL.canParse(oauth.token_endpoint ?? '')) {
    throw wrong(`${within}oauth.token_endpoint`, 'is not a URL');
  }
}

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
