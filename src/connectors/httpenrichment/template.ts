import { userAgent } from '../../lib/version.ts';
import type { LookupRequest } from '../contract.ts';
import { authorize, setHeader, wrong } from '../http-auth/index.ts';
import type { Configuration } from './configuration.ts';

const placeholder = /\{\{\s*([^{}]+?)\s*\}\}/g;

/** Names of the inputs that a request is made of. @throws unprocessable when there are none */
export function inputsOf({ url, parameters = [], headers = [], body = '' }: Configuration): string[] {
  const texts = [url, body, ...[...parameters, ...headers].map(({ value = '' }) => value)];
  const names = texts.flatMap((text) => [...text.matchAll(placeholder)].map(([, name = '']) => name));
  if (names.length === 0) {
    throw wrong(
      'url',
      'has no {{input}}, and neither have parameters, headers and body: every record would be asked for alike',
    );
  }
  if (hasOpenHost(url)) {
    throw wrong('url', 'has an {{input}} in its host: records would say which server gets the secrets');
  }
  return [...new Set(names)];
}

/** Whether the server that is asked depends on inputs. Where there is no slash before one, it is part of the host, too. */
function hasOpenHost(url: string): boolean {
  const servers = ['a', 'b', '1', '2'].map((input) => {
    const filled = url.replaceAll(placeholder, input);
    return URL.canParse(filled) && /^https?:/i.test(filled) ? new URL(filled).origin : undefined;
  });
  return new Set(servers).size > 1;
}

const notUrl = 'the URL is not an http:// or https:// URL';

/** The request for one record. @throws unprocessable for a configuration that cannot work. */
export function fillIn(configuration: Configuration, inputs: ReadonlyMap<string, string>): LookupRequest {
  const { method, parameters = [], headers: given = [], body, auth } = configuration;
  const fill = (text: string, encode: (value: string) => string = (value) => value) =>
    text.replaceAll(placeholder, (_, name: string) => encode(inputs.get(name) ?? ''));
  const filled = fill(configuration.url, encodeURIComponent);
  if (!URL.canParse(filled) || !/^https?:$/.test(new URL(filled).protocol)) {
    return { url: filled, headers: {}, problem: notUrl };
  }
  const url = new URL(filled);
  const headers: Record<string, string> = { Accept: 'application/json', 'User-Agent': userAgent };
  for (const { name, value } of parameters) if (name) url.searchParams.append(name, fill(value ?? ''));
  for (const { name, value } of given) if (name) setHeader(headers, name, fill(value ?? ''));
  const problem = problemOf(configuration, inputs);
  const request = { headers, ...(problem === undefined ? {} : { problem }) };
  authorize(url, headers, auth);
  if (method === 'GET' || body === undefined) return { url: url.href, ...request };
  const type = Object.keys(headers).find((name) => name.toLowerCase() === 'content-type');
  if (type === undefined) headers['Content-Type'] = 'application/json';
  const isForm = type !== undefined && /form-urlencoded/i.test(headers[type] ?? '');
  return { url: url.href, body: fill(body, isForm ? encodeURIComponent : inJson), ...request };
}

/** Inside the quotes of a JSON string. */
function inJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** What an input would change besides the place where it stands: the path, or the headers. */
function problemOf(
  { url, headers = [] }: Configuration,
  inputs: ReadonlyMap<string, string>,
): string | undefined {
  const namesIn = (text: string) => [...text.matchAll(placeholder)].map(([, name = '']) => name);
  const dots = namesIn(url).find((name) => /^\.\.?$/.test(inputs.get(name) ?? ''));
  if (dots !== undefined) return `${dots} is ${inputs.get(dots)}, which no URL can hold`;
  const broken = headers
    .flatMap(({ value = '' }) => namesIn(value))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones
    .find((name) => /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/.test(inputs.get(name) ?? ''));
  return broken === undefined ? undefined : `${broken} has characters that no header can hold`;
}
