import type pg from 'pg';
import { openDatabase, statementLimit } from '../db/index.ts';
import { isUuid } from '../lib/uuid.ts';
import { columns, type EventQuery, kept, type ListedEvent, pageStatement } from './list.ts';

/** What is on record, for whoever reads it. */
export interface EventLog {
  list(query: EventQuery): Promise<ListedEvent[]>;
  find(organizationId: string, id: string, retention: number): Promise<ListedEvent | undefined>;
  /** Where the log of an organization ends now: whatever is appended later comes after it. */
  end(organizationId: string): Promise<string>;
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
      const [row] = await read<{ head: string }>({
        name: 'log_end',
        text: 'select head from event_heads where organization_id = $1::uuid',
        values: [organizationId],
      });
      return row?.head ?? '1970-01-01T00:00:00Z';
    },
    close,
  };
}
