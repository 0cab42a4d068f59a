export interface EventQuery {
  organizationId: string;
  /** Any of these; all when left out. */
  types?: readonly string[] | undefined;
  /** RFC 3339 at any precision; strictly after it. */
  after?: string | undefined;
  /** Strictly before it. */
  before?: string | undefined;
  /** Oldest first. */
  ascending: boolean;
  /** Rows at most. */
  limit: number;
  /** Milliseconds. Older events are never returned, even while their partition still stands. */
  retention: number;
}

export interface ListedEvent {
  id: string;
  organizationId: string;
  createdAt: string;
  type: string;
  /** JSON text of the payload. */
  event: string;
}

export const columns = 'id, organization_id as "organizationId", created_at as "createdAt", type, event';

/** @param seconds the parameter that says how long events are kept. */
export const kept = (seconds: string) => `created_at > now() - ${seconds}::float8 * interval '1 second'`;

/**
 * One page of the log, by keyset on (organization_id, created_at): what it costs depends on the page, not on
 * the age of the table. A cursor that was cut to milliseconds lies before the event it came from, so such a
 * reader sees an event again and never misses one.
 *
 * Every combination of bounds is a statement with a name of its own: a session plans it once.
 */
export function pageStatement(query: EventQuery) {
  if (query.types !== undefined) return pageOfTypes(query, query.types);
  const { organizationId, after, before, ascending, limit, retention } = query;
  const values: unknown[] = [organizationId, retention / 1000, limit];
  let name = `list_events_${ascending ? 'up' : 'down'}`;
  let where = `organization_id = $1::uuid and ${kept('$2')}`;
  const bound = (what: string, condition: string, value: unknown) => {
    if (value === undefined) return;
    name += `_${what}`;
    where += ` and ${condition.replace('?', `$${values.push(value)}`)}`;
  };
  bound('after', 'created_at > ?::timestamptz', after);
  bound('before', 'created_at < ?::timestamptz', before);
  const order = `order by created_at ${ascending ? 'asc' : 'desc'} limit $3::int`;
  return { name, text: `select ${columns} from events where ${where} ${order}`, values };
}

/**
 * A page of each type, of which the first are taken. The bounds name type and time as one, and so does the order: that is
 * the order of one index alone, and no statistics can make the planner walk events of all types for those of one.
 * The bounds of the time by itself choose the partitions.
 */
function pageOfTypes(
  { organizationId, after, before, ascending, limit, retention }: EventQuery,
  types: readonly string[],
) {
  const lowest = `greatest($4::timestamptz, now() - $2::float8 * interval '1 second')`;
  const highest = `coalesce($5::timestamptz, 'infinity')`;
  const direction = ascending ? 'asc' : 'desc';
  const text = `select page.* from unnest($6::text[]) as wanted, lateral (
      select ${columns} from events
      where organization_id = $1::uuid and created_at > ${lowest} and created_at < ${highest}
        and (type, created_at) > (wanted, ${lowest}) and (type, created_at) < (wanted, ${highest})
      order by type ${direction}, created_at ${direction} limit $3::int
    ) page order by "createdAt" ${direction} limit $3::int`;
  const values = [
    organizationId,
    retention / 1000,
    limit,
    after ?? null,
    before ?? null,
    [...new Set(types)],
  ];
  return { name: `list_events_of_types_${ascending ? 'up' : 'down'}`, text, values };
}
