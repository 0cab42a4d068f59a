import type { Field } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { invalidField } from '../errors.ts';
import { orMeant } from '../lib/near-name.ts';
import type { ModelRequest } from '../schema/model.ts';
import type { Model, Relation } from './model.ts';
import { findField } from './present.ts';
import { relatedModels } from './relations.ts';
import { findModels } from './store.ts';

/**
 * Checks what a model is to be related to.
 *
 * @param model the one that is being drafted; without an id while it is new.
 * @throws invalid_field
 */
export async function draftRelations(
  db: Database,
  model: { id: string | undefined; organizationId: string; name: string; fields: readonly Field[] },
  request: Pick<ModelRequest, 'relations'>,
): Promise<Relation[]> {
  const relations: Relation[] = [];
  const named = (request.relations ?? []).map(({ to }) => to.model_id.toLowerCase());
  const others = new Map(
    (await findModels(db, model.organizationId, [...new Set(named)])).map((one) => [one.id, one]),
  );
  /** Each model once, however many relations lead to it. */
  const looked = new Set<string>();
  for (const [index, { from, to }] of (request.relations ?? []).entries()) {
    const place = `relations.${index}`;
    requireField(model.fields, from, `${place}.from`);
    const other = others.get(to.model_id.toLowerCase());
    if (other === undefined) throw invalidField(`${place}.to.model_id`, `there is no model ${to.model_id}`);
    const found = findField(other.id, other.fields, to.field);
    if (found === undefined) requireField(other.fields, to.field, `${place}.to.field`, `model ${other.name}`);
    if (!looked.has(other.id)) await refuseCycle(db, model, other, `${place}.to.model_id`);
    looked.add(other.id);
    relations.push({ from, to: { modelId: other.id, field: found?.name ?? to.field } });
  }
  return relations;
}

/** A model is joined to what it is related to: what leads back to it would be joined for ever. */
async function refuseCycle(
  db: Database,
  { id, name }: { id: string | undefined; name: string },
  other: Model,
  place: string,
): Promise<void> {
  if (other.id === id)
    throw invalidField(place, 'is this model itself; make a second model of the same table');
  if (id === undefined) return;
  const beyond = await relatedModels(db, other);
  const find = (wanted: string | undefined) => beyond.find(({ model }) => model.id === wanted);
  if (find(id) === undefined) return;
  const way: string[] = [];
  for (let at = find(id); at !== undefined; at = find(at.parent)) way.unshift(at.model.name);
  throw invalidField(place, `leads back to this model: ${[name, other.name, ...way].join(' → ')}`);
}

export function requireField(
  fields: readonly Field[],
  name: string,
  member: string,
  owner = 'this model',
): void {
  if (fields.some((field) => field.name === name)) return;
  const known = fields.map((field) => field.name);
  const reason = `${JSON.stringify(name)} is not a field of ${owner}, which has ${known.join(', ')}`;
  throw invalidField(member, `${reason}${orMeant(name, known)}`);
}
