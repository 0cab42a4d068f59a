import { userAgent } from '../../lib/version.ts';
import { authorize, type HttpAuth, wrong } from '../http-auth/index.ts';
import type { Configuration } from './configuration.ts';

export interface RequestTarget {
  url: string;
  headers: Record<string, string>;
  /** Where the token comes from that each request has to carry. */
  oauth: HttpAuth['oauth'];
}

/** Where a batch goes and what it says about its sender. @throws unprocessable for what cannot work. */
export function requestTarget(configuration: Configuration): RequestTarget {
  if (!URL.canParse(configuration.url) || !/^https?:$/.test(new URL(configuration.url).protocol)) {
    throw wrong('url', 'is not an http:// or https:// URL');
  }
  const url = new URL(configuration.url);
  const headers: Record<string, string> = { 'Content-Type': 'application/json', 'User-Agent': userAgent };
  for (const { name, value } of configuration.headers ?? []) {
    if (name) headers[name] = value ?? '';
  }
  const { auth_method: method, secret, basic, header, query, oauth } = configuration;
  const wanted = method === 'oauth_client_credentials' ? oauth : undefined;
  switch (method) {
    case 'polytomic_secret':
      if (secret) headers.Authorization = `Bearer ${secret}`;
      break;
    case 'basic':
      authorize(url, headers, { basic: basic ?? {} });
      break;
    case 'header':
      if (!header?.name) throw wrong('header.name', 'is needed with auth_method header');
      authorize(url, headers, { header });
      break;
    case 'query':
      authorize(url, headers, { query: query ?? [] });
      break;
    case 'oauth_client_credentials':
      if (!oauth?.client_id)
        throw wrong('oauth.client_id', 'is needed with auth_method oauth_client_credentials');
      if (!URL.canParse(oauth.token_endpoint ?? '')) throw wrong('oauth.token_endpoint', 'is not a URL');
      break;
  }
  return { url: url.href, headers, oauth: wanted };
}
