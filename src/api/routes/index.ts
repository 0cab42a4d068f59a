import type { App } from '../app.ts';
import type { ApiDependencies } from '../dependencies.ts';

/** Every route, one file per resource. */
export function registerRoutes(_app: App, _dependencies: ApiDependencies): void {}
