import { TidemarkError } from '../errors.ts';
import type { App } from './app.ts';

/** What no route is: another method of a path that there is, or no path at all. Called before the routes exist. */
export function installUnknownRoutes(app: App): void {
  const methods = new Map<string, { pattern: RegExp; names: Set<string> }>();
  app.addHook('onRoute', ({ method, url }) => {
    const known = methods.get(url) ?? { pattern: patternOf(url), names: new Set() };
    for (const one of [method].flat()) known.names.add(one);
    methods.set(url, known);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const fitting = [...methods.values()].filter(({ pattern }) => pattern.test(path));
    const { method } = request;
    if (fitting.length === 0) throw new TidemarkError('unknown_route', { method, path });
    const allowed = [...new Set(fitting.flatMap(({ names }) => [...names]))].sort().join(', ');
    reply.header('allow', allowed);
    throw new TidemarkError('method_not_allowed', { method, path, allowed });
  });
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part));
  return new RegExp(`^${parts.join('/')}/?$`);
}
