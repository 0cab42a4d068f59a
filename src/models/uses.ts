import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import type { Use } from '../errors.ts';
import type { Relation } from './model.ts';

/** The models whose records come from a connection, or that look up more about them there. */
export async function modelsUsing(
  db: Database,
  organizationId: string,
  connectionId: string,
): Promise<Use[]> {
  const { rows } = await sql<Use>`
    select 'model' as type, name, id from models
    where organization_id = ${organizationId} and (connection_id = ${connectionId}
      or lower(definition -> 'enricher' ->> 'connectionId') = ${connectionId})
    order by name`.execute(db);
  return rows;
}

/** The models that are joined to another one. */
export async function modelsRelatedTo(db: Database, organizationId: string, modelId: string): Promise<Use[]> {
  const { rows } = await sql<Use>`
    select 'model' as type, name, id from models
    where organization_id = ${organizationId} and id <> ${modelId} and ${relatesTo(modelId)}
    order by name`.execute(db);
  return rows;
}

/** The models whose relations lead to fields that another one does not have. */
export async function relationsToMissingFields(
  db: Database,
  organizationId: string,
  toModelId: string,
): Promise<{ user: Use; field: string }[]> {
  const { rows } = await sql<{ name: string; id: string; field: string }>`
    select models.name, models.id, relation -> 'to' ->> 'field' as field
    from models, jsonb_array_elements(models.definition -> 'relations') as relation, models as target
    where models.organization_id = ${organizationId} and models.id <> ${toModelId}
      and relation -> 'to' ->> 'modelId' = ${toModelId}
      and target.organization_id = ${organizationId} and target.id = ${toModelId}
      and not target.fields @> jsonb_build_array(jsonb_build_object('name', relation -> 'to' -> 'field'))
    order by models.name`.execute(db);
  return rows.map(({ field, ...model }) => ({ user: { type: 'model', ...model }, field }));
}

/** Takes the relations of a model to one that is being deleted away. */
export async function unrelate(
  db: Database,
  organizationId: string,
  id: string,
  toModelId: string,
): Promise<void> {
  await sql`
    update models set updated_at = now(), definition = jsonb_set(definition, '{relations}', coalesce((
      select jsonb_agg(relation order by position)
      from jsonb_array_elements(definition -> 'relations') with ordinality as listed (relation, position)
      where relation -> 'to' ->> 'modelId' <> ${toModelId}), '[]'))
    where organization_id = ${organizationId} and id = ${id} and ${relatesTo(toModelId)}`.execute(db);
}

function relatesTo(modelId: string) {
  const listed: { to: Pick<Relation['to'], 'modelId'> }[] = [{ to: { modelId } }];
  return sql<boolean>`definition -> 'relations' @> ${JSON.stringify(listed)}::jsonb`;
}
