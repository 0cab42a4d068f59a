import { TidemarkError } from '../errors.ts';
import type { App } from './app.ts';
import { operations } from './operations.ts';

/**
 * Answers 501 for every operation that gets no route of its own, never a 404 that pretends the id is wrong.
 * Called before the routes are registered, so that it sees them; `finish` is called after.
 */
export function watchRoutes(app: App): { finish(): void } {
  const built = new Set<string>();
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) built.add(shape(one, url));
  });
  return {
    finish() {
      for (const [method, url, operationId, access] of operations) {
        if (built.has(shape(method, url))) continue;
        app.route({
          method,
          url,
          schema: { operationId },
          config: { access, notBuilt: true },
          handler: async () => {
            throw new TidemarkError('not_implemented', { operation: operationId });
          },
        });
      }
    },
  };
}

/** Method and path without the names of its parameters, which files choose for themselves. */
function shape(method: string, url: string): string {
  return `${method} ${url.replaceAll(/:\w+/g, ':')}`;
}
