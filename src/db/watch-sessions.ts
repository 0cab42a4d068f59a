import pg from 'pg';

/** Milliseconds; tests are quicker. */
export const watchTimes = {
  /** Between two looks at the sessions of this process. */
  every: 5_000,
  /** Of silence that are not remarkable. */
  unremarkable: 10_000,
  /** That another session may take to connect, and to say what the server knows. */
  patience: 5_000,
};

/** What pg has and its types do not say. */
interface Watched extends pg.Client {
  connection: pg.Connection & { stream: { bytesRead: number } };
  processID: number | null;
  /** False from the moment a statement is sent until the server is ready for the next one. */
  readyForQuery: boolean;
}

interface Seen {
  url: string;
  bytes: number;
  /** Readings of performance.now(): since when nothing has come, and since when nothing that was waited for. */
  heard: number;
  since: number;
  /** Looks in a row that found it lost. */
  strikes: number;
}

type Silent = [Watched, Seen];

const watched = new Map<Watched, Seen>();
/** Clients whose statement waits for rows that we have yet to make. */
const owing = new WeakSet<object>();
let isLooking = false;

/**
 * Ends a session whose statement nobody will answer, so that what waits for it fails and is tried again. A relay or a
 * network that goes silent ends no connection, and a limit of time cannot tell it from a statement that takes long. The
 * server can: it is asked over another connection what the session does.
 */
export function watchSession(client: pg.Client, url: string): void {
  const session = client as Watched;
  watched.set(session, { url, bytes: -1, heard: performance.now(), since: performance.now(), strikes: 0 });
  if (!isLooking) lookSoon();
  client.once('end', () => watched.delete(session));
}

/** While rows are made for a statement of this client, its silence says nothing. */
export async function* whileOwing<Chunk>(
  client: object,
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
): AsyncGenerator<Chunk> {
  owing.add(client);
  try {
    yield* chunks;
  } finally {
    owing.delete(client);
  }
}

function lookSoon(): void {
  isLooking = true;
  setTimeout(lookAtAll, watchTimes.every).unref();
}

async function lookAtAll(): Promise<void> {
  const now = performance.now();
  for (const [session, seen] of watched) {
    if (isSilent(session, seen)) continue;
    const { bytesRead } = session.connection.stream;
    if (bytesRead !== seen.bytes) seen.heard = now;
    Object.assign(seen, { bytes: bytesRead, since: now, strikes: 0 });
  }
  const silent = [...watched].filter(([, { since }]) => now - since >= watchTimes.unremarkable);
  const byServer = Map.groupBy(silent, ([, { url }]) => url);
  await Promise.all([...byServer].map(([url, sessions]) => ask(url, sessions)));
  isLooking = false;
  if (watched.size > 0) lookSoon();
}

/** While we do not read, nothing comes. */
const isSilent = ({ readyForQuery, connection: { stream } }: Watched, { bytes }: Seen) =>
  !readyForQuery && !stream.isPaused() && stream.bytesRead === bytes;

/** Who gets no answer from a new connection, either, takes the database to be away. */
async function ask(url: string, sessions: readonly Silent[]): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'tidemark watch',
    connectionTimeoutMillis: watchTimes.patience,
    query_timeout: watchTimes.patience,
  });
  client.on('error', () => {});
  let refused: unknown;
  await client.connect().catch((error: unknown) => {
    refused = error;
  });
  for (const [session, seen] of sessions) {
    const isLost = await (refused === undefined
      ? isLostAt(client, session, seen)
      : Promise.reject(refused)
    ).catch(
      // A server that says anything is there.
      (error: unknown) => !(error instanceof pg.DatabaseError),
    );
    // Twice: its answer may have been on the way.
    if (!isSilent(session, seen)) continue;
    if (isLost) seen.strikes++;
    else Object.assign(seen, { since: performance.now(), strikes: 0 });
    if (seen.strikes > 1) giveUp(session, seen);
  }
  (client as Watched).connection.stream.destroy();
}

/** With it goes what has been idle as long: whoever takes it out of its pool would wait for nothing. */
function giveUp(session: Watched, { url, heard }: Seen): void {
  const idle = [...watched].filter(
    ([other, seen]) => other.readyForQuery && seen.url === url && seen.heard <= heard,
  );
  for (const lost of [session, ...idle.map(([other]) => other)]) {
    lost.connection.stream.destroy(new Error('The session did not answer'));
  }
}

/** At the second time it is ended at the server, too, with all that it has locked. */
async function isLostAt(client: pg.Client, session: Watched, { strikes }: Seen): Promise<boolean> {
  const { stream } = session.connection;
  const waitsForUs = owing.has(session) && stream.writableLength === 0;
  // A pooler in between gives out process ids of its own, and nothing is known by them.
  const { rows } = await client.query<{ lost: boolean }>(
    `select case when pg_backend_pid() <> $2 or exists (
         select from pg_stat_activity where pid = $1 and
           case when state = 'active' then $3 or wait_event_type is distinct from 'Client'
             else coalesce(state, 'disabled') = 'disabled' end)
       then false
       when $4 then pg_terminate_backend($1) is not null else true end as lost`,
    [session.processID, (client as Watched).processID, waitsForUs, strikes > 0],
  );
  return rows[0]?.lost ?? false;
}
