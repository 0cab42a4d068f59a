import type { Readable } from 'node:stream';

/**
 * The one way out for every HTTP request whose address a user can choose: event webhooks, webhook
 * connections, and any later HTTP source.
 *
 * Guarantees: redirects are not followed; the address is checked on the socket at connect time, literals
 * included, so a resolver that changes its answer gains nothing; private, loopback, link-local and metadata
 * ranges are refused unless allowed. `request`: one deadline covers everything to the last byte of the response;
 * at most 64 KiB of it are read, undecompressed. `stream`: the reader bounds what it takes, and for how long.
 */
export interface Egress {
  /** @throws EgressError for everything but a response; a 4xx or 5xx is a response. */
  request(request: EgressRequest): Promise<EgressResponse>;
  /** The same for files. What breaks the body off later is made an EgressError by `toEgressError`. */
  stream(request: EgressStreamRequest): Promise<EgressStream>;
  close(): Promise<void>;
}

export interface EgressRequest {
  url: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers: Record<string, string>;
  body?: string | Buffer;
  /** Milliseconds until the whole exchange is given up. */
  deadline: number;
  signal?: AbortSignal;
}

export interface EgressResponse {
  status: number;
  headers: Record<string, string>;
  /** At most 64 KiB. */
  body: Buffer;
  timing: Timing;
}

export interface EgressStreamRequest {
  url: string;
  /** Sent in place of the URL's own path: an object's key may hold `..`, which a URL would resolve away. */
  path?: string;
  method: string;
  headers: Record<string, string>;
  body?: string | Uint8Array | Readable;
  /** Milliseconds without a byte until the exchange is given up. */
  idle: number;
  signal?: AbortSignal;
}

export interface EgressStream {
  status: number;
  headers: Record<string, string>;
  /** Has to be read to its end or destroyed. */
  body: Readable;
}

/** Milliseconds. Null: the connection was open already, or the request carried no body to tell it by. */
export interface Timing {
  dns: number | null;
  connect: number | null;
  tls: number | null;
  /** From the request on the wire to the response's headers. */
  firstByte: number | null;
  /** From the call to the last byte that was read. */
  total: number;
}

export type EgressFailure =
  | 'refused_address'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'reset'
  | 'invalid_url';

/** No response arrived. `message` says why in words that may be shown to the tenant. */
export class EgressError extends Error {
  override name = 'EgressError';
  readonly failure: EgressFailure;

  constructor(failure: EgressFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}
