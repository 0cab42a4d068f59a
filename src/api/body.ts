import type { FastifyRequest } from 'fastify';
import { invalidField, TidemarkError } from '../errors.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { limits } from '../limits.ts';
import type { App } from './app.ts';

const { depth, values } = limits.request;

/** Bodies are read here, once for all routes: what cannot be stored and sent on as it came is refused. */
export function installBody(app: App): void {
  app.addHook('preParsing', async ({ headers, method }) => {
    if (method === 'GET' || method === 'HEAD') return;
    const encoding = headers['content-encoding']?.trim().toLowerCase();
    if (encoding === undefined || encoding === '' || encoding === 'identity') return;
    throw new TidemarkError('unsupported_encoding', { content_encoding: encoding });
  });
  app.removeAllContentTypeParsers();
  // Clients send Content-Type with an empty body, and void operations without either.
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const type = request.headers['content-type'] ?? '';
      const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1] ?? 'utf-8';
      if (!/^utf-?8$/i.test(charset))
        throw new TidemarkError('unsupported_media_type', { content_type: type });
      try {
        return parseStrictJson(body, { depth: depth.most, values: values.most });
      } catch (error) {
        throw error instanceof StrictJsonError ? shown(error) : error;
      }
    },
  );
}

function shown({ problem }: StrictJsonError): TidemarkError {
  switch (problem.kind) {
    case 'encoding':
      return new TidemarkError('malformed_json', { reason: 'its bytes are no UTF-8' });
    case 'depth':
      return new TidemarkError('body_too_deep', { limit: depth.most });
    case 'values':
      return new TidemarkError('too_many_values', { limit: values.most });
    case 'text':
      return invalidField(
        problem.path.join('.') || 'body',
        'holds a NUL character or half a surrogate pair, which cannot be stored',
      );
    case 'syntax':
      return new TidemarkError('malformed_json', { reason: problem.reason });
  }
}
