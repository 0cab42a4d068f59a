import type { TargetLife } from '../contract.ts';
import { askServer, type Connect, rowsOf } from './client.ts';
import { findTable } from './columns.ts';
import { qualified } from './quote.ts';

/** The time of creation is that of an ALTER TABLE that made a copy, too: rows are counted where it has changed. */
export function targetLife(connect: Connect, object: string): Promise<TargetLife> {
  return askServer(connect, async (connection) => {
    const { database, name, created } = await findTable(connection, object);
    const table = qualified(database, name);
    const some = await rowsOf(connection, `select 1 from ${table} limit 1`);
    return {
      ...(created === null ? {} : { stored: created }),
      isEmpty: some.length === 0,
      rows: () =>
        askServer(connect, async (other) => {
          const [row] = await rowsOf<{ counted: string }>(other, `select count(*) as counted from ${table}`);
          return Number(row?.counted);
        }),
    };
  });
}
