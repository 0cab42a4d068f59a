import type pg from 'pg';
import { openDatabase, statementLimit } from '../db/index.ts';
import { isUuid } from '../lib/uuid.ts';
import { columns, type EventQuery, kept, type ListedEvent, pageStatement } from './list.ts';

/** What is on record, for whoever reads it. */
export interface EventLog {
  list(query: EventQuery): Promise<ListedEvent[]>;
  find(organizationId: string, id: string, retention: number): Promise<ListedEvent | undefined>;
  /**
   * Where the log of an organization ends now. Whatever becomes visible later comes after it, since the head is
   * committed with its event; so a page that is read afterwards and has no more has everything up to here.
   */
  end(organizationId: string): Promise<string>;
  /** Whether a reader that goes on from a position may miss events that are not kept any more. */
  isBehind(organizationId: string, position: string, retention: number): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * The statistics of a partition that is being filled end before its newest events. A reader a little behind
 * then looks like one with nothing to read, and gets a plan that fetches and sorts everything after its
 * position for one page. Here the order can only come from the index, and the plan is made once: planning over
 * all partitions costs more than a page.
 */
export const logSessions = {
  ...statementLimit,
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_sort: 'off',
  jit: 'off',
};

const connections = 4;

export function openEventLog(databaseUrl: string): EventLog {
  const { pool, close } = openDatabase(databaseUrl, connections, logSessions);
  const read = async <Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<Row[]> =>
    (await pool.query<Row>(statement)).rows;
  return {
    list: (query) => read(pageStatement(query)),
    async find(organizationId, id, retention) {
      if (!isUuid(id)) return undefined;
      const [event] = await read<ListedEvent>({
        name: 'find_event',
        text: `select ${columns} from events where organization_id = $1::uuid and ${kept('$2')} and id = $3::uuid`,
        values: [organizationId, retention / 1000, id],
      });
      return event;
    },
    async end(organizationId) {
      // Before its first event: as old as the organization, so that the position is not taken for one that missed events.
      const [row] = await read<{ end: string | null }>({
        name: 'log_end',
        text: `select coalesce((select head from event_heads where organization_id = $1::uuid),
          (select created_at from organizations where id = $1::uuid)) as end`,
        values: [organizationId],
      });
      return row?.end ?? '1970-01-01T00:00:00Z';
    },
    async isBehind(organizationId, position, retention) {
      const [row] = await read<{ behind: boolean }>({
        name: 'log_is_behind',
        text: `select exists (
            select from event_heads h join organizations o on o.id = h.organization_id
            where h.organization_id = $1::uuid and h.head > $2::timestamptz
              and greatest($2::timestamptz, o.created_at) < now() - $3::float8 * interval '1 second'
          ) as behind`,
        values: [organizationId, position, retention / 1000],
      });
      return row?.behind === true;
    },
    close,
  };
}
