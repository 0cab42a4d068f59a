export { type App, buildApp } from './app.ts';
export type { ApiDependencies } from './dependencies.ts';
export { lookTask, lookTaskOf } from './looks.ts';
