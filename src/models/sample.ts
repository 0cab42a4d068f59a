import type { Database } from '../db/index.ts';
import type { ModelSample } from '../schema/model.ts';
import { type SourceDependencies, withModelSource } from './source.ts';
import { getModel } from './store.ts';

const records = 10;
/** Milliseconds a source may take: somebody is waiting. */
const budget = 10_000;

/** A few records of a model as its source has them now. */
export async function sampleModel(
  deps: SourceDependencies & { db: Database },
  organizationId: string,
  id: string,
): Promise<ModelSample> {
  const model = await getModel(deps.db, organizationId, id);
  const names = model.fields.map((field) => field.name);
  const found = await withModelSource(
    deps,
    organizationId,
    model.connectionId,
    (source) => source.sample(model.configuration, names, records),
    AbortSignal.timeout(budget),
  );
  return { records: found.map((record) => ({ [model.id]: record })), warnings: [] };
}
