export { authorize, wrong } from './authorize.ts';
export { Bearer } from './bearer.ts';
export { HttpAuth, NameAndValue } from './configuration.ts';
export { setHeader } from './headers.ts';
export { fetchToken } from './oauth.ts';
