import type { TestDatabase } from './database.ts';

/**
 * One hash over every row's text, sorted: equal exactly when two relations have the same content. Tidemark's own
 * columns (`_tidemark_…`) are left out, and money counts as its amount, as which it travels.
 */
export async function contentHash(
  database: TestDatabase,
  relation: string,
): Promise<{ rows: number; hash: string } | undefined> {
  const [columns] = await database.query<{ list: string | null }>(
    `select string_agg(format(case atttypid when 'money'::regtype then 't.%I::numeric' else 't.%I' end, attname),
       ', ' order by attnum) as list from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname not like '\\_tidemark\\_%'`,
    [relation],
  );
  const [result] = await database.query<{ rows: number; hash: string }>(
    `select count(*)::int as rows, md5(coalesce(string_agg(r, E'\\n' order by r collate "C"), '')) as hash
     from (select row(${columns?.list ?? ''})::text as r from ${relation} t) x`,
  );
  return result;
}
