import swagger from '@fastify/swagger';
import { version } from '../lib/version.ts';
import type { App } from './app.ts';
import { operations } from './operations.ts';

const apiError = {
  description: 'An error; docs/errors.md lists every key with its remedy.',
  type: 'object',
  properties: {
    key: { type: 'string' },
    message: { type: 'string' },
    metadata: { type: 'object', additionalProperties: true },
    status: { type: 'integer' },
  },
  required: ['key', 'message', 'metadata', 'status'],
};

/** What Tidemark adds to Polytomic's API. */
const additions = new Set(operations.filter((operation) => operation[4]).map((operation) => operation[2]));

/**
 * Describes every built operation at GET /api/openapi.json, from the schemas that validate its requests.
 * Called before the routes exist; they must be added in `app.after`.
 */
export function installOpenApi(app: App): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tidemark',
        version,
        description: 'Polytomic’s public API, and what Tidemark adds to it (marked x-tidemark-addition).',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          basic: { type: 'http', scheme: 'basic', description: 'Organization id and partner key.' },
        },
      },
      security: [{ bearer: [] }, { basic: [] }],
    },
    transform({ schema, url, route }) {
      if (route.config?.notBuilt) return { schema: { ...schema, hide: true }, url };
      const { operationId } = (schema ?? {}) as { operationId?: string };
      const isPublic = route.config?.access === 'public';
      return {
        schema: {
          ...schema,
          tags: [url.split('/')[2] ?? 'api'],
          response: { '2xx': { description: 'Done.' }, ...(schema?.response as object), default: apiError },
          ...(isPublic ? { security: [] } : {}),
          ...(additions.has(operationId ?? '') ? { 'x-tidemark-addition': true } : {}),
        },
        url,
      };
    },
  });
  app.after(() => {
    app.get(
      '/api/openapi.json',
      { schema: { operationId: 'openapi' }, config: { access: 'public' } },
      async () => app.swagger(),
    );
  });
}
