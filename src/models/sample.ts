import { recordJson } from '../lib/pg-text.ts';
import type { SourceDependencies } from './layer.ts';
import { lookAtModel } from './open.ts';
import { getModel } from './store.ts';

const sampleSize = 10;
/** Milliseconds a source may take: somebody is waiting. */
const budget = 10_000;

/** A few records of a model as its source has them now: `ModelSample` as JSON text, in which numbers keep every digit. */
export async function sampleModel(
  deps: SourceDependencies,
  organizationId: string,
  id: string,
): Promise<string> {
  const model = await getModel(deps.db, organizationId, id);
  const names = model.fields.map((field) => field.name);
  const found = await lookAtModel(deps, model, (source) => source.sample(names, sampleSize), {
    signal: AbortSignal.timeout(budget),
  });
  const records = found.map((values) => `{${JSON.stringify(model.id)}:${recordJson(model.fields, values)}}`);
  return `{"records":[${records.join(',')}],"warnings":[]}`;
}
