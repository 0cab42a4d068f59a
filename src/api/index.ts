export { type App, buildApp } from './app.ts';
export type { ApiDependencies } from './dependencies.ts';
