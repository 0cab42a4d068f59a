import { EgressError } from './contract.ts';

/** @throws EgressError for what is no URL that a user may aim a request at. */
export function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new EgressError('invalid_url', `${text} is not a URL`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new EgressError('invalid_url', `${url.protocol} is not http: or https:`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new EgressError('invalid_url', 'credentials do not belong into the URL');
  }
  // A trailing dot names the same host and would slip past a check of the name.
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1);
  return url;
}
