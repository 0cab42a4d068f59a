import { TidemarkError } from '../../errors.ts';
import { userAgent } from '../../lib/version.ts';
import type { Configuration } from './configuration.ts';

export interface FileRequest {
  url: URL;
  headers: Record<string, string>;
}

/** What is asked for, and how the caller proves who it is; OAuth's token comes later. @throws unprocessable */
export function fileRequest(configuration: Configuration): FileRequest {
  if (!URL.canParse(configuration.url) || !/^https?:$/.test(new URL(configuration.url).protocol)) {
    throw wrong('url', 'is not an http:// or https:// URL');
  }
  const url = new URL(configuration.url);
  const headers: Record<string, string> = { 'User-Agent': userAgent };
  for (const { name, value } of configuration.headers ?? []) if (name) headers[name] = value ?? '';
  const { basic, header, query, oauth } = configuration.auth ?? {};
  for (const { name, value } of [...(configuration.parameters ?? []), ...(query ?? [])]) {
    if (name) url.searchParams.append(name, value ?? '');
  }
  if (basic?.username || basic?.password) headers.Authorization = basicAuthorization(basic);
  if (header?.name) headers[header.name] = header.value ?? '';
  if (oauth?.client_id && !URL.canParse(oauth.token_endpoint ?? '')) {
    throw wrong('auth.oauth.token_endpoint', 'is not a URL');
  }
  return { url, headers };
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
