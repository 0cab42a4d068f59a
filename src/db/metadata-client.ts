import pg from 'pg';
import { isConnectionFailure, readOnlyState } from './connection-failure.ts';
import { watchSession } from './watch-sessions.ts';

/** Milliseconds that a connect may take, and that a request waits for a place in a pool. */
const patience = 10_000;

/**
 * For the server to notice that we are gone and to end what we have locked: by the network, and, where a relay in between
 * is silent, by a transaction that nobody goes on with.
 */
const serverSettings = {
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '30000',
  idle_in_transaction_session_timeout: '60000',
};

/** Of the server; it reports them at the start of a session and whenever they change. */
const readOnlyWhenOn = ['in_hot_standby', 'default_transaction_read_only'];

/** What every session with the metadata database is opened with, by a pool or alone. @param settings of the session. */
export function sessionOptions(url: string, settings: Readonly<Record<string, string>> = {}) {
  const options = Object.entries({ ...serverSettings, ...settings });
  return {
    Client: MetadataClient,
    connectionString: url,
    connectionTimeoutMillis: patience,
    keepAlive: true,
    keepAliveInitialDelayMillis: patience,
    options: options.map(([name, value]) => `-c ${name}=${value}`).join(' '),
  };
}

/** What pg has and its types do not say. */
interface Inside {
  connection: pg.Connection;
  /** A pool lets go of a client with more uses than it allows. */
  _poolUseCount?: number;
}

type Callback = (error?: Error | null, result?: unknown) => void;

/**
 * A session with the metadata database. One that cannot write is given up: after a failover what is left of the old
 * server, or a standby, answers reads as if nothing had happened. One that has gone silent is ended.
 */
export class MetadataClient extends pg.Client {
  readonly #url: string;
  readonly #readOnlyBy = new Set<string>();

  constructor(config: pg.ClientConfig = {}) {
    super(config);
    this.#url = config.connectionString ?? '';
    const { connection } = this as unknown as Inside;
    connection.on('parameterStatus', (said: { parameterName: string; parameterValue: string }) => {
      if (!readOnlyWhenOn.includes(said.parameterName)) return;
      if (said.parameterValue === 'on') this.#readOnlyBy.add(said.parameterName);
      else this.#readOnlyBy.delete(said.parameterName);
      if (this.isReadOnly) this.#leavePool();
    });
  }

  get isReadOnly(): boolean {
    return this.#readOnlyBy.size > 0;
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: (error: Error | null) => void): void;
  override connect(callback?: (error: Error | null) => void): Promise<pg.Client> | undefined {
    const connected = this.#connect();
    if (callback === undefined) return connected;
    connected.then(() => callback(null), callback);
    return undefined;
  }

  async #connect(): Promise<pg.Client> {
    await super.connect();
    if (this.isReadOnly) {
      await this.end();
      throw Object.assign(new Error('the database is read-only'), { code: readOnlyState });
    }
    watchSession(this, this.#url);
    return this;
  }

  /** In all the forms that pg's own has. */
  override query(...given: unknown[]): never {
    const last = given.at(-1);
    if (typeof last === 'function') {
      given[given.length - 1] = (error?: Error | null, result?: unknown) => {
        this.#failed(error);
        (last as Callback)(error, result);
      };
    }
    const answer: unknown = Reflect.apply(super.query, this, given);
    if (!(answer instanceof Promise)) return answer as never;
    return answer.catch((error: unknown) => {
      this.#failed(error);
      throw error;
    }) as never;
  }

  #failed(error: unknown): void {
    // The server has ended it, or only reads: its last words come before its end.
    if (isConnectionFailure(error)) this.#leavePool();
  }

  #leavePool(): void {
    (this as unknown as Inside)._poolUseCount = Number.POSITIVE_INFINITY;
  }
}
