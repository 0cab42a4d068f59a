import type { TestDatabase } from './database.ts';

/** One hash over every row's text, sorted: equal exactly when two relations have the same content. */
export async function contentHash(
  database: TestDatabase,
  relation: string,
): Promise<{ rows: number; hash: string } | undefined> {
  const [result] = await database.query<{ rows: number; hash: string }>(
    `select count(*)::int as rows, md5(coalesce(string_agg(r, E'\\n' order by r collate "C"), '')) as hash
     from (select (select row(t.*))::text as r from ${relation} t) x`,
  );
  return result;
}
