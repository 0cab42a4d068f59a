import { sql } from 'kysely';
import type { Database, Transaction } from '../db/index.ts';
import { TidemarkError, type Use } from '../errors.ts';
import {
  enrichedFields,
  getModel,
  type Model,
  relatedModels,
  relationsToMissingFields,
  splitRelatedName,
} from '../models/index.ts';
import type { ModelSync } from './model-sync.ts';
import { fromRow, selectModelSyncs } from './store.ts';
import { fieldsUsedBy, knownField, type SyncedModels } from './synced-models.ts';

/**
 * Makes a change of a model, unless it takes from a sync or from another model a field that it uses: by dropping the
 * field, the enrichment or the relation that leads to it. What was broken before does not count.
 *
 * It looks before and after the change, in the transaction that makes it: to foresee what a change does would mean to
 * write down a second time how models are joined.
 *
 * @throws fields_in_use, naming who uses them, if `force` is not set.
 */
export async function changeModel(
  tx: Transaction,
  organizationId: string,
  id: string,
  force: boolean,
  change: () => Promise<unknown>,
): Promise<Model> {
  const { id: known } = await getModel(tx, organizationId, id);
  const before = force ? [] : await missingFields(tx, organizationId, known);
  await change();
  const model = await getModel(tx, organizationId, known);
  if (force) return model;
  const lost = (await missingFields(tx, organizationId, known)).filter(
    (one) => !before.some(({ user, field }) => user.id === one.user.id && field === one.field),
  );
  if (lost.length === 0) return model;
  const users = new Map(lost.map(({ user }) => [user.id, user]));
  const fields = [...new Set(lost.map(({ field }) => field))];
  throw new TidemarkError('fields_in_use', {
    name: model.name,
    id: model.id,
    fields,
    used_by: [...users.values()],
  });
}

interface Missing {
  user: Use;
  field: string;
}

/** The fields that syncs and models use by way of a model and that are not to be had. */
async function missingFields(db: Database, organizationId: string, id: string): Promise<Missing[]> {
  const syncs = await syncsReading(db, organizationId, id);
  const missing: Missing[] = await relationsToMissingFields(db, organizationId, id);
  const models = new Map<string, SyncedModels>();
  for (const sync of syncs) {
    const synced = models.get(sync.modelId) ?? (await readModels(db, sync));
    models.set(sync.modelId, synced);
    const user = { type: 'sync', name: sync.name, id: sync.id };
    for (const own of fieldsUsedBy(sync)) {
      if (knownField(synced, own) === undefined)
        missing.push({ user, field: splitRelatedName(own)?.field ?? own });
    }
  }
  return missing;
}

/** Those that use the model itself, and those that use several: it may lie on the way to one of them. */
async function syncsReading(db: Database, organizationId: string, id: string): Promise<ModelSync[]> {
  const rows = await selectModelSyncs(db, organizationId)
    .where(sql<boolean>`(model_ids @> array[${id}::uuid] or cardinality(model_ids) > 1)`)
    .orderBy('name')
    .execute();
  return rows.map(fromRow);
}

async function readModels(db: Database, { organizationId, modelId }: ModelSync): Promise<SyncedModels> {
  const base = await getModel(db, organizationId, modelId);
  const related = (await relatedModels(db, base)).map(({ model }) => model);
  return {
    base,
    related: base.enricher === null ? related : [...related, enrichedFields(base.enricher)],
  };
}
