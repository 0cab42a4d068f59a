import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/**
 * The one way out to every address that a user can choose: event webhooks, webhook connections, HTTP sources, and
 * connections to databases.
 *
 * Guarantees: redirects are not followed; every address is checked before it is dialled and on the socket, literals
 * included, so a resolver that changes its answer gains nothing; private, loopback, link-local and metadata
 * ranges are refused unless allowed. A connection that has failed or fallen silent is not used again, and no tenant has
 * one that another has had. `request`: one deadline covers everything to the last byte of the response;
 * at most 64 KiB of it are read, undecompressed. `stream`: the reader bounds what it takes, and for how long.
 */
export interface Egress {
  /** @throws EgressError for everything but a response; a 4xx or 5xx is a response. */
  request(request: EgressRequest): Promise<EgressResponse>;
  /** The same for files. What breaks the body off later is made an EgressError by `toEgressError`. */
  stream(request: EgressStreamRequest): Promise<EgressStream>;
  /** A socket that speaks any other protocol. Nobody listens on it yet. @throws EgressError */
  connect(destination: EgressDestination): Promise<Socket>;
  /** The same on a tenant's behalf: what waits for a name, and the connections that are kept, are shared out by tenant. */
  of(tenant: string): Egress;
  /** Ends everything under way, for all tenants. */
  close(): Promise<void>;
}

export interface EgressDestination {
  /** A name or an address. */
  hostname: string;
  port: number;
  /** Makes a socket that is not connected, where it is to be a special one. */
  socket?: () => Socket;
  signal?: AbortSignal;
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

/** Milliseconds. Null: the connection was open already. */
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
