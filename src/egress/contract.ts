/**
 * The one way out for every HTTP request whose address a user can choose: event webhooks, webhook
 * connections, and any later HTTP source.
 *
 * Guarantees: redirects are not followed; the address is checked on the socket at connect time, literals
 * included, so a resolver that changes its answer gains nothing; private, loopback, link-local and metadata
 * ranges are refused unless allowed; one deadline covers everything to the last byte of the response; at
 * most 64 KiB of the response are read, undecompressed.
 */
export interface Egress {
  /** @throws EgressError for everything but a response; a 4xx or 5xx is a response. */
  request(request: EgressRequest): Promise<EgressResponse>;
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
