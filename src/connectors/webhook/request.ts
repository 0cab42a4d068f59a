import { userAgent } from '../../lib/version.ts';
import { authorize, type HttpAuth, setHeader, wrong } from '../http-auth/index.ts';
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
    if (name) setHeader(headers, name, value ?? '');
  }
  const auth = chosenAuth(configuration);
  authorize(url, headers, auth, '');
  return { url: url.href, headers, oauth: auth.oauth };
}

/** Of the ways that are configured, the one that is to be gone. */
function chosenAuth({ auth_method: method, secret, ...ways }: Configuration): HttpAuth {
  const { basic, header, query, oauth } = ways;
  switch (method) {
    case 'polytomic_secret':
      return secret ? { header: { name: 'Authorization', value: `Bearer ${secret}` } } : {};
    case 'basic':
      return basic === undefined ? {} : { basic };
    case 'header':
      if (!header?.name) throw wrong('header.name', `is needed with auth_method ${method}`);
      return { header };
    case 'query':
      return query === undefined ? {} : { query };
    case 'oauth_client_credentials':
      if (!oauth?.client_id) throw wrong('oauth.client_id', `is needed with auth_method ${method}`);
      return { oauth };
  }
}
