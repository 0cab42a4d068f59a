import type { FastifyRequest } from 'fastify';
import { TidemarkError } from '../errors.ts';
import type { App } from './app.ts';

const header = 'x-polytomic-version';
const known = ['2021-05-23', '2022-12-12', '2023-04-25', '2024-02-08', '2025-09-18'] as const;
const current = '2025-09-18';

/**
 * The shape of bulk syncs changed with 2025-09-18 (`default_schedule`, `resync_mode`); before it there was
 * `schedule` and `resync`. A caller that names no version may be either: both are accepted and answered.
 */
export type Generation = 'before-2025' | 'current' | 'either';

export function installVersions(app: App): void {
  app.addHook('onRequest', async (request, reply) => {
    const version = request.headers[header];
    reply.header(header, current);
    if (version !== undefined && !known.some((one) => one === version)) {
      throw new TidemarkError('unknown_version', { version: String(version), known: known.join(', ') });
    }
    reply.header(header, version ?? current);
  });
}

/** For answers that are made before a request reaches a hook. */
export const versionHeader = { [header]: current };

export function generationOf(request: FastifyRequest): Generation {
  const version = request.headers[header];
  if (version === undefined) return 'either';
  return String(version) < current ? 'before-2025' : 'current';
}
