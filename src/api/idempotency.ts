import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import { type Commits, type Database, watchCommits } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { isJsonObject } from '../lib/json.ts';
import { limits } from '../limits.ts';
import type { App } from './app.ts';
import { callerOf } from './authentication.ts';
import type { ApiDependencies } from './dependencies.ts';

const { idempotencyKey } = limits.request;

/** A request that is still in flight after this long was lost with its server, and may be made again. */
const abandonedAfter = '2 minutes';
/** Outcomes are kept this long at least; then a key is new again. */
const keptFor = '24 hours';
const hour = 3_600_000;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set while this request holds the lock of its Idempotency-Key. */
    idempotencyScope: Buffer | null;
    /** What it has changed for good since then. */
    commits: Commits | null;
  }
}

/**
 * `Idempotency-Key` on POST, PUT and PATCH: the first request with a key fixes the outcome, success or error of the
 * request's own, and later ones get it again. Ignored on GET and DELETE, which some clients send it with.
 *
 * Outcomes are sealed: the answer of a key's creation holds the key.
 */
export function installIdempotency(app: App, deps: ApiDependencies): void {
  app.decorateRequest('idempotencyScope', null);
  app.decorateRequest('commits', null);
  const forgetting = setInterval(() => void forget(deps), hour);
  app.addHook('onClose', async () => clearInterval(forgetting));

  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key'];
    if (key === undefined || !['POST', 'PUT', 'PATCH'].includes(request.method)) return;
    if (typeof key !== 'string' || key.length > idempotencyKey.most || !/^[A-Za-z0-9_-]{8,}$/.test(key)) {
      throw new TidemarkError('bad_request', {
        reason: `Idempotency-Key takes 8 to ${idempotencyKey.most} letters, digits, - and _`,
      });
    }
    const scope = scopeOf(request, key);
    const recorded = await lock(deps.db, scope, requestHash(request));
    if (recorded === undefined) {
      request.idempotencyScope = scope;
      return;
    }
    if (recorded.status === null) {
      reply.header('retry-after', '1');
      throw new TidemarkError('idempotency_in_flight');
    }
    reply.code(recorded.status);
    if (recorded.content_type !== null) reply.type(recorded.content_type);
    return reply.send(recorded.body === null ? undefined : deps.keyRing.open(recorded.body));
  });

  app.addHook('preHandler', (request, _reply, done) => {
    if (request.idempotencyScope === null) return done();
    request.commits = { happened: false };
    watchCommits(request.commits, done);
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const scope = request.idempotencyScope;
    if (scope === null) return payload;
    // A failure of ours is no outcome: the same request may succeed when it is made again. Unless something was done before
    // it failed, which would then be done twice.
    if (reply.statusCode >= 500 && request.commits?.happened !== true) {
      await deps.db.deleteFrom('idempotency_keys').where('scope', '=', scope).execute();
      return payload;
    }
    const type = reply.getHeader('content-type');
    await deps.db
      .updateTable('idempotency_keys')
      .set({
        status: reply.statusCode,
        content_type: typeof type === 'string' ? type : null,
        body: typeof payload === 'string' && payload !== '' ? deps.keyRing.seal(payload) : null,
      })
      .where('scope', '=', scope)
      .execute();
    return payload;
  });
}

async function forget({ db, log }: ApiDependencies): Promise<void> {
  try {
    await sql`delete from idempotency_keys where created_at < now() - ${sql.lit(keptFor)}::interval`.execute(
      db,
    );
  } catch (error) {
    log.error({ err: error }, 'idempotency.forgetting_failed');
  }
}

interface Recorded {
  status: number | null;
  content_type: string | null;
  body: Buffer | null;
}

/** @returns undefined when the caller now holds the lock; otherwise what is known of the first request. */
async function lock(db: Database, scope: Buffer, hash: Buffer): Promise<Recorded | undefined> {
  const taken = await db
    .insertInto('idempotency_keys')
    .values({ scope, request_hash: hash })
    .onConflict((conflict) =>
      conflict
        .column('scope')
        .doUpdateSet({ created_at: sql<string>`now()` })
        .where('idempotency_keys.status', 'is', null)
        .where('idempotency_keys.created_at', '<', sql<string>`now() - ${sql.lit(abandonedAfter)}::interval`),
    )
    .returning('scope')
    .executeTakeFirst();
  if (taken !== undefined) return undefined;
  const row = await db
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'status', 'content_type', 'body'])
    .where('scope', '=', scope)
    .executeTakeFirstOrThrow();
  if (!row.request_hash.equals(hash)) throw new TidemarkError('idempotency_mismatch');
  return row;
}

/** Per caller, method and path: two tenants may choose the same key. */
function scopeOf(request: FastifyRequest, key: string): Buffer {
  const caller = callerOf(request);
  const who =
    caller.kind === 'user' ? caller.userId : caller.kind === 'organization' ? caller.organizationId : '';
  const path = request.url.split('?', 1)[0] ?? '';
  return sha256(JSON.stringify([caller.kind, who, request.method, path, key]));
}

function requestHash(request: FastifyRequest): Buffer {
  return sha256(JSON.stringify([request.query, request.body ?? null], sorted));
}

/** Members in another order are the same request. */
function sorted(_key: string, value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
