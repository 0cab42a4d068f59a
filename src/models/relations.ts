import type { Database } from '../db/index.ts';
import type { Model, Relation } from './model.ts';
import { findModels } from './store.ts';

/** A model that is joined to another. */
export interface Related {
  model: Model;
  /** Id of the model it is joined to; undefined for the one that is read. */
  parent: string | undefined;
  /** All of them must fit: several relations to one model are one join. */
  on: { from: string; to: string }[];
}

/**
 * Every model that relations lead to, nearest first. One that can be reached in several ways is joined the shortest
 * way, of equal ones the first. Deleted ones are left out, with what only they lead to.
 */
export async function relatedModels(
  db: Database,
  model: Pick<Model, 'organizationId'> & Partial<Pick<Model, 'id' | 'relations'>>,
): Promise<Related[]> {
  const related: Related[] = [];
  let level: { id?: string; relations: Relation[] }[] = [{ relations: model.relations ?? [] }];
  while (level.length > 0) {
    const joins = new Map<string, Omit<Related, 'model'>>();
    for (const { id: parent, relations } of level) {
      for (const { from, to } of relations) {
        if (to.modelId === model.id || related.some((one) => one.model.id === to.modelId)) continue;
        const join = joins.get(to.modelId) ?? { parent, on: [] };
        if (join.parent === parent) join.on.push({ from, to: to.field });
        joins.set(to.modelId, join);
      }
    }
    const models = await findModels(db, model.organizationId, [...joins.keys()]);
    level = models;
    related.push(
      ...models.flatMap((one) => ({ model: one, parent: undefined, on: [], ...joins.get(one.id) })),
    );
  }
  return related;
}

/** Those of `modelIds` and what they are reached through. */
export function onTheWayTo(related: readonly Related[], modelIds: Iterable<string>): Related[] {
  const needed = new Set(modelIds);
  for (const { model, parent } of related.toReversed()) {
    if (parent !== undefined && needed.has(model.id)) needed.add(parent);
  }
  return related.filter(({ model }) => needed.has(model.id));
}
