import { parse } from 'node:querystring';
import { TidemarkError } from '../errors.ts';
import { isStorable } from '../lib/strict-json.ts';
import type { App } from './app.ts';

/** Refuses escapes that are no UTF-8, which would be read as another text than was sent. */
export function installQueryString(app: App): void {
  app.addHook('onRequest', async ({ url }) => {
    const start = url.indexOf('?');
    if (start < 0) return;
    try {
      if (isStorable(decodeURIComponent(url.slice(start + 1)))) return;
    } catch {
      // Said below.
    }
    throw new TidemarkError('bad_request', {
      reason: 'The query holds NUL, or percent escapes that are no UTF-8',
    });
  });
}

/**
 * A query string as an object. Maps and lists come in brackets from some clients, and each has one form from here on:
 * `params[table]=x` is `{ params: { table: 'x' } }`, `sync_id[]=a` is the same as `sync_id=a`. What is repeated is a list.
 */
export function parseQueryString(text: string): Record<string, unknown> {
  const query: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(parse(text, '&', '=', { maxKeys: 0 }))) {
    const [, outer, inner] = /^([^[\]]+)\[([^[\]]*)\]$/.exec(name) ?? [];
    if (outer === undefined || inner === undefined) put(query, name, value);
    else if (inner === '') put(query, outer, value);
    else {
      const before = Object.hasOwn(query, outer) ? query[outer] : undefined;
      if (isMap(before)) put(before, inner, value);
      else {
        const map = {};
        put(map, inner, value);
        put(query, outer, map);
      }
    }
  }
  return query;
}

/** A text beside a map of the same name makes a list, which no operation takes. */
function put(query: Record<string, unknown>, name: string, given: unknown): void {
  const value = Object.hasOwn(query, name) ? [query[name], given].flat() : given;
  // Not by assignment: a name may be `__proto__`.
  Object.defineProperty(query, name, { value, enumerable: true, writable: true, configurable: true });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
