import pg, { type Client } from 'pg';
import { messageOf } from '../../errors.ts';
import type { BulkOutput, BulkTarget } from '../contract.ts';
import { qualified } from './bulk-names.ts';
import { identifier } from './quote.ts';
import { ask } from './transaction.ts';

interface Index {
  name: string;
  /** How its definition begins, up to the access method. */
  head: string;
  definition: string;
  unique: boolean;
}

export interface CopiedIndexes {
  /** What gives them their names, once the live table is gone. */
  renames: string[];
  /** Those that the new table cannot have, for people. */
  lost: string[];
}

/**
 * Gives the side table the indexes and constraints that somebody has put on the live one. A key of the output is its own; a
 * foreign key to the table itself has to wait until it has its name.
 */
export async function copyIndexes(client: Client, live: BulkOutput, side: string): Promise<CopiedIndexes> {
  const copied: CopiedIndexes = { renames: [], lost: [] };
  for (const [position, { name, definition }] of (await constraintsOf(client, live)).entries()) {
    const temporary = `${side}_c${position}`;
    await client.query('savepoint made');
    try {
      const target = qualified({ schema: live.schema, name: side });
      await client.query(`alter table ${target} add constraint ${identifier(temporary)} ${definition}`);
      copied.renames.push(
        `alter table ${qualified(live)} rename constraint ${identifier(temporary)} to ${identifier(name)}`,
      );
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      await client.query('rollback to savepoint made');
      copied.lost.push(`constraint ${name} is lost: ${messageOf(error)}`);
    }
    await client.query('release savepoint made');
  }
  for (const [position, index] of (await indexesOf(client, live)).entries()) {
    const { name, head, definition, unique } = index;
    const rest = definition.startsWith(head) ? definition.slice(head.length) : undefined;
    const temporary = `${side}_${position}`;
    const target = qualified({ schema: live.schema, name: side });
    await client.query('savepoint index');
    try {
      if (rest === undefined) throw new Error(`its definition is not understood: ${definition}`);
      const create = `create ${unique ? 'unique ' : ''}index ${identifier(temporary)}`;
      await client.query(`${create} on ${target} using ${rest}`);
      const created = qualified({ schema: live.schema, name: temporary });
      copied.renames.push(`alter index ${created} rename to ${identifier(name)}`);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) && rest !== undefined) throw error;
      await client.query('rollback to savepoint index');
      copied.lost.push(`index ${name} is lost: ${messageOf(error)}`);
    }
    await client.query('release savepoint index');
  }
  return copied;
}

async function constraintsOf(
  client: Client,
  { schema, name, primaryKey }: BulkOutput,
): Promise<{ name: string; definition: string }[]> {
  const { rows } = await ask<{ name: string; definition: string }>(
    client,
    `select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
     where conrelid = to_regclass(format('%I.%I', $1::text, $2::text)) and contype in ('c', 'u', 'x', 'f', $3)
       and confrelid <> conrelid order by conname`,
    [schema, name, primaryKey.length === 0 ? 'p' : 'c'],
  );
  return rows;
}

async function indexesOf(client: Client, { schema, name }: BulkTarget): Promise<Index[]> {
  // The system's path has none of the user's schemas: definitions name everything in full.
  const { rows } = await ask<Index>(
    client,
    `select c.relname as name, i.indisunique as unique, pg_get_indexdef(i.indexrelid) as definition,
       format('CREATE %sINDEX %I ON %I.%I USING ', case when i.indisunique then 'UNIQUE ' end, c.relname, $1::text, $2::text) as head
     from pg_index i join pg_class c on c.oid = i.indexrelid
     where i.indrelid = to_regclass(format('%I.%I', $1::text, $2::text)) and i.indisvalid
       and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
     order by c.relname`,
    [schema, name],
  );
  return rows;
}
