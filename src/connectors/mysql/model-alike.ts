import type { Connection } from 'mysql2/promise';
import type { AlikeIdentities, TargetDefinition } from '../contract.ts';
import { eachGroup } from '../identity-groups.ts';
import { askServer, type Connect, rowsOf } from './client.ts';
import type { Column } from './columns.ts';
import { bySize } from './model-columns.ts';
import type { Target } from './model-target.ts';
import { charset, literal, qualified } from './quote.ts';

/** Keys that are fetched at a time. */
const fetched = 10_000;

/** Undefined where the column's texts are equal when they are the same bytes. */
export async function alikeIdentities(
  connect: Connect,
  target: Target,
  { identity }: TargetDefinition,
): Promise<AlikeIdentities | undefined> {
  const column = target.columns.find(({ name }) => name === identity);
  if (column === undefined) return undefined;
  const read = await askServer(connect, (connection) => reading(connection, target, column));
  if (read === undefined) return undefined;
  const [keys, groups] = ['_tidemark_keys', '_tidemark_alike'].map((name) =>
    qualified(target.database, name),
  );
  return async function* alike(batches) {
    const connection = await connect();
    try {
      await connection.query(`create temporary table ${keys}
        (n bigint primary key, k longtext character set utf8mb4, c ${read.type}) engine = InnoDB`);
      let n = 0;
      for await (const batch of batches) {
        for (const list of bySize(batch.map((key) => `(${++n}, ${literal(key)}, null)`))) {
          await connection.query(`insert into ${keys} values ${list.join(', ')}`);
        }
      }
      await connection.query(`update ${keys} set c = ${read.value} where ${read.isValue}`);
      // A temporary table cannot be named twice in one statement.
      await connection.query(`create temporary table ${groups} (primary key (\`group\`)) engine = InnoDB
        select min(n) as \`group\`, c from ${keys} where c is not null group by c having count(*) > 1`);
      let last = [0, 0];
      yield* eachGroup(async () => {
        const rows = await rowsOf<{ key: string; group: string; n: string }>(
          connection,
          `select s.k as \`key\`, g.\`group\`, s.n from ${groups} g join ${keys} s on s.c = g.c
           where (g.\`group\`, s.n) > (${last.join(', ')}) order by g.\`group\`, s.n limit ${fetched}`,
        );
        const end = rows.at(-1);
        if (end !== undefined) last = [Number(end.group), Number(end.n)];
        return rows;
      });
    } finally {
      await connection.end().catch(() => {});
    }
  };
}

interface Reading {
  /** Of a column that compares as the target's does. */
  type: string;
  /** What the text `k` is in it, and whether it is one. Others are left to whoever sends them. */
  value: string;
  isValue: string;
}

async function reading(
  connection: Connection,
  { database, table }: Target,
  { name, type, rendering }: Column,
): Promise<Reading | undefined> {
  const [found] = await rowsOf<{ charset: string | null; collation: string | null }>(
    connection,
    `select character_set_name as charset, collation_name as collation from information_schema.columns
     where table_schema = ? and table_name = ? and column_name = ?`,
    [database, table, name],
  );
  switch (rendering) {
    case 'number':
      return {
        type: 'decimal(65, 30)',
        value: `case k when 'true' then 1 when 'false' then 0 else k end`,
        isValue: `k regexp '^([+-]?[0-9]{1,35}([.][0-9]{0,30})?|true|false)$'`,
      };
    case 'float':
    case 'double':
      return {
        type: 'double',
        value: 'k',
        isValue: `k regexp '^[+-]?[0-9]+([.][0-9]*)?([eE][+-]?[0-9]{1,2})?$'`,
      };
    case 'date':
    case 'datetime':
    case 'timestamp': {
      const form = '^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?)?$';
      return {
        type: 'datetime(6)',
        value: 'cast(k as datetime(6))',
        isValue: `k regexp '${form}' and cast(k as datetime(6)) is not null`,
      };
    }
  }
  if (found?.charset == null || found.collation == null) return undefined;
  // A char drops the spaces at its end, whatever its collation says of them.
  const text = /^char\(/.test(type) ? "trim(trailing ' ' from k)" : 'k';
  return {
    type: `longtext character set ${charset(found.charset)} collate ${charset(found.collation)}`,
    value: `convert(${text} using ${charset(found.charset)})`,
    // What the character set does not have is refused when it is sent.
    isValue: `convert(convert(k using ${charset(found.charset)}) using utf8mb4) collate utf8mb4_bin = k`,
  };
}
