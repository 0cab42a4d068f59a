import { userAgent } from '../../lib/version.ts';
import { authorize, setHeader, wrong } from '../http-auth/index.ts';
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
  for (const { name, value } of configuration.headers ?? []) {
    if (name) setHeader(headers, name, value ?? '');
  }
  for (const { name, value } of configuration.parameters ?? []) {
    if (name) url.searchParams.append(name, value ?? '');
  }
  authorize(url, headers, configuration.auth);
  return { url, headers };
}
