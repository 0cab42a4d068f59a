import type { Database } from '../db/index.ts';
import { getModel, relatedModels } from '../models/index.ts';
import { getModelSync } from './store.ts';

/** The connections that a model sync reads from: certainly its model's own, and those of which only parts may be read. */
export async function sourcesOfModelSync(
  db: Database,
  organizationId: string,
  syncId: string,
): Promise<{ own: string; others: string[] }> {
  const { modelId } = await getModelSync(db, organizationId, syncId);
  const model = await getModel(db, organizationId, modelId);
  const related = await relatedModels(db, model);
  const lookups = [model, ...related.map((one) => one.model)].flatMap(({ enricher }) => enricher ?? []);
  return {
    own: model.connectionId,
    others: [...related.map((one) => one.model), ...lookups].map(({ connectionId }) => connectionId),
  };
}
