import type { ModelSample } from '../schema/model.ts';
import type { SourceDependencies } from './layer.ts';
import { lookAtModel } from './open.ts';
import { getModel } from './store.ts';

const records = 10;
/** Milliseconds a source may take: somebody is waiting. */
const budget = 10_000;

/** A few records of a model as its source has them now. */
export async function sampleModel(
  deps: SourceDependencies,
  organizationId: string,
  id: string,
): Promise<ModelSample> {
  const model = await getModel(deps.db, organizationId, id);
  const names = model.fields.map((field) => field.name);
  const found = await lookAtModel(deps, model, (source) => source.sample(names, records), {
    signal: AbortSignal.timeout(budget),
  });
  return { records: found.map((record) => ({ [model.id]: record })), warnings: [] };
}
