import type pg from 'pg';
import type { Reader } from './readers.ts';

/** What must be true when the dust has settled. Each query finds the counterexamples of one promise. */
const queries: Record<string, string> = {
  'every execution that began is announced once as running, and one that ended once as what it is': `
    select x.id, x.status, array_agg(e.type) from executions x
    left join events e on e.event::jsonb ->> 'execution_id' = x.id::text
    group by x.id
    having count(*) filter (where e.type = 'bulk_sync.running')
         <> (case when x.started_at is null then 0 else 1 end)
      or count(*) filter (where e.type <> 'bulk_sync.running')
         <> (case when x.status in ('completed', 'failed', 'canceled', 'errors') then 1 else 0 end)
      or (x.status in ('completed', 'failed', 'canceled')
          and not coalesce(bool_or(e.type = 'bulk_sync.' || x.status), false))`,
  'every event belongs to an execution': `
    select e.id from events e left join executions x on e.event::jsonb ->> 'execution_id' = x.id::text
    where x.id is null`,
  'every event has its delivery': `
    select e.id from events e join webhooks w using (organization_id)
    left join webhook_deliveries d on d.webhook_id = w.id and d.created_at = e.created_at
    where d.id is null`,
  'a delivery is delivered, has failed after six attempts, or is pending with a next attempt': `
    select d.id, d.status, d.attempts from webhook_deliveries d
    left join webhook_queue q on q.webhook_id = d.webhook_id and q.created_at = d.created_at
    where not case d.status when 'delivered' then q.delivery_id is null
      when 'failed' then q.delivery_id is null and d.attempts = 6
      when 'pending' then q.due_at is not null else false end`,
  'never more than six attempts, and their numbers have no gap': `
    select delivery_id, count(*), max(attempt) from webhook_attempts group by delivery_id
    having count(*) > 6 or max(attempt) <> count(*)`,
  'no attempt after a 2xx on record': `
    select a.delivery_id from webhook_attempts a join webhook_attempts b using (delivery_id, created_at)
    where a.status_code between 200 and 299 and a.error is null and b.attempt > a.attempt`,
  'delivered means that the last attempt was a 2xx': `
    select d.id from webhook_deliveries d where d.status = 'delivered' and not exists (
      select from webhook_attempts a where a.delivery_id = d.id and a.created_at = d.created_at
        and a.attempt = d.attempts and a.error is null and a.status_code between 200 and 299)`,
};

/** @returns the promises that were broken, with counterexamples. */
export async function brokenPromises(
  client: pg.Client,
  readers: readonly Reader[],
  received: ReadonlyMap<string, number>,
): Promise<string[]> {
  const broken: string[] = [];
  await client.query('set search_path = tidemark');
  for (const [promise, query] of Object.entries(queries)) {
    const { rows } = await client.query(query);
    if (rows.length > 0) broken.push(`${promise}: ${rows.length}, e.g. ${JSON.stringify(rows.slice(0, 3))}`);
  }
  for (const reader of readers) {
    const { rows } = await client.query<{ id: string }>(
      'select id from events where organization_id = $1 order by created_at',
      [reader.organizationId],
    );
    const all = rows.map(({ id }) => id);
    if (JSON.stringify(reader.seen) !== JSON.stringify(all)) {
      const lost = all.filter((id) => !reader.seen.includes(id)).length;
      const twice = reader.seen.length - new Set(reader.seen).size;
      broken.push(
        `the ${reader.name} reader: ${lost} of ${all.length} lost, ${twice} seen twice, or out of order`,
      );
    }
  }
  broken.push(...(await miscounted(client, received)));
  return broken;
}

/**
 * What the endpoint counted against what is on record. An attempt without a status may have arrived or not: the
 * worker was killed, or the connection broke. An attempt with one has arrived.
 */
async function miscounted(client: pg.Client, received: ReadonlyMap<string, number>): Promise<string[]> {
  const { rows } = await client.query<{ event_id: string; attempts: number; answered: number }>(`
    select d.event_id, count(a.attempt)::int as attempts, count(a.status_code)::int as answered
    from webhook_deliveries d
    left join webhook_attempts a on a.delivery_id = d.id and a.created_at = d.created_at group by d.event_id`);
  const wrong = rows.filter(({ event_id, attempts, answered }) => {
    const arrived = received.get(event_id) ?? 0;
    return arrived < answered || arrived > attempts;
  });
  const unknown = [...received.keys()].filter((id) => !rows.some(({ event_id }) => event_id === id));
  return [
    ...wrong.map(
      (row) => `recorded ${JSON.stringify(row)}, the endpoint counted ${received.get(row.event_id)}`,
    ),
    ...unknown.map((id) => `the endpoint received an event ${id} that is not in the log`),
  ];
}
