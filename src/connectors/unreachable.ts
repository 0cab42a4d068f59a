import { messageOf, TidemarkError } from '../errors.ts';
import { Unreachable } from './contract.ts';

/** Throws what a destination failed with before it saw a batch. */
export function unreachable(error: unknown): never {
  throw error instanceof TidemarkError ? error : new Unreachable(messageOf(error), { cause: error });
}
