export { type Actor, actorOf, authenticate, type Caller, hashKey } from './caller.ts';
