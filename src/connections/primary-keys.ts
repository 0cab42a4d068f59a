import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import type { OpenDependencies } from './open.ts';
import { cachedSchema } from './schema-cache.ts';

/** `SchemaPrimaryKeyOverrideInput` on the wire. */
interface KeyChoice {
  field_id: string;
  is_primary_key: boolean;
}

/**
 * Gives a schema the key that its source does not know, or another one. An empty list brings the source's back.
 *
 * @throws not_found, invalid_field
 */
export async function setPrimaryKey(
  deps: OpenDependencies,
  organizationId: string,
  connectionId: string,
  schemaId: string,
  choices: readonly KeyChoice[],
): Promise<void> {
  const { fields } = await cachedSchema(deps, organizationId, connectionId, schemaId);
  const known = new Set(fields.map(({ name }) => name));
  for (const { field_id: field } of choices) {
    if (known.has(field)) continue;
    const reason = `${field} is no field of ${schemaId}: refresh the schemas if it is new`;
    throw new TidemarkError('invalid_field', { field: 'fields', reason });
  }
  const names = choices.filter((choice) => choice.is_primary_key).map(({ field_id }) => field_id);
  if (choices.length === 0) {
    await deps.db
      .deleteFrom('connection_schema_keys')
      .where('connection_id', '=', connectionId)
      .where('schema_id', '=', schemaId)
      .execute();
    return;
  }
  // Of two at once the later one counts.
  const key = { fields: [...new Set(names)] };
  await deps.db
    .insertInto('connection_schema_keys')
    .values({ connection_id: connectionId, schema_id: schemaId, ...key })
    .onConflict((conflict) => conflict.columns(['connection_id', 'schema_id']).doUpdateSet(key))
    .execute();
}

/** Names of the fields, in key order; empty: rows have no key. Undefined: the source's own key applies. */
export async function primaryKeyOverride(
  db: Database,
  connectionId: string,
  schemaId: string,
): Promise<string[] | undefined> {
  const row = await db
    .selectFrom('connection_schema_keys')
    .select('fields')
    .where('connection_id', '=', connectionId)
    .where('schema_id', '=', schemaId)
    .executeTakeFirst();
  return row?.fields;
}
