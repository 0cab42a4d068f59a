import type { JsonObject } from '../lib/json.ts';
import type { SourceMeta } from './contract.ts';

/** A service that knows more about a record: asked record by record. */
export interface Enrichment {
  /** What to choose on the way to a configuration. */
  meta(parameters: Record<string, string[]>): Promise<SourceMeta>;
  /** Sets of inputs, each of which suffices. @throws invalid_field for a configuration that cannot work. */
  inputs(configuration: JsonObject): string[][];
  /** @throws invalid_field */
  lookup(configuration: JsonObject): Lookup;
}

export interface Lookup {
  /** Requests at a time. */
  concurrency: number;
  /** Hours that an answer may be used again. */
  cacheHours: number;
  /** What to send for a record; undefined where an input is NULL, so that there is nothing to ask for. */
  request(inputs: ReadonlyMap<string, string | null>): LookupRequest | undefined;
  /** @throws LookupRefused when it refuses everybody: for no record will it be otherwise. */
  send(request: LookupRequest): Promise<LookupAnswer>;
}

export interface LookupRequest {
  url: string;
  headers: Record<string, string>;
  body?: string;
  /** Why it cannot be sent. */
  problem?: string;
}

/**
 * `again`: milliseconds after which another try may succeed, 0 where the service does not say. `busy`: until then it wants no
 * request at all.
 */
export type LookupAnswer =
  | { status: 'found'; json: string }
  | { status: 'nothing' }
  | { status: 'failed'; reason: string; again?: number; busy?: boolean };

/** The service takes no request of this connection. */
export class LookupRefused extends Error {
  override name = 'LookupRefused';
}
