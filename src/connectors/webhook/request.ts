import { TidemarkError } from '../../errors.ts';
import { userAgent } from '../../lib/version.ts';
import type { Configuration } from './configuration.ts';

/** Where a batch goes and what it says about its sender. @throws unprocessable for what cannot work. */
export function requestTarget(configuration: Configuration): {
  url: string;
  headers: Record<string, string>;
} {
  if (!URL.canParse(configuration.url) || !/^https?:$/.test(new URL(configuration.url).protocol)) {
    throw wrong('url', 'is not an http:// or https:// URL');
  }
  const url = new URL(configuration.url);
  const headers: Record<string, string> = { 'Content-Type': 'application/json', 'User-Agent': userAgent };
  for (const { name, value } of configuration.headers ?? []) {
    if (name) headers[name] = value ?? '';
  }
  switch (configuration.auth_method) {
    case 'polytomic_secret':
      if (configuration.secret) headers.Authorization = `Bearer ${configuration.secret}`;
      break;
    case 'basic': {
      const { username = '', password = '' } = configuration.basic ?? {};
      headers.Authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      break;
    }
    case 'header':
      if (!configuration.header?.name) throw wrong('header.name', 'is needed with auth_method header');
      headers[configuration.header.name] = configuration.header.value ?? '';
      break;
    case 'query':
      for (const { name, value } of configuration.query ?? []) {
        if (name) url.searchParams.append(name, value ?? '');
      }
      break;
    case 'oauth_client_credentials':
      throw wrong(
        'auth_method',
        'oauth_client_credentials is not built yet; use header, basic, query or a secret',
      );
  }
  return { url: url.href, headers };
}

function wrong(key: string, reason: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason: `configuration.${key}: ${reason}` });
}
