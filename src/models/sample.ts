import { TidemarkError } from '../errors.ts';
import { recordJson } from '../lib/pg-text.ts';
import type { OpenOptions, SourceDependencies } from './layer.ts';
import { lookAtModel } from './open.ts';
import type { RecordSource } from './record-source.ts';
import { getModel } from './store.ts';

const sampleSize = 10;
/** Milliseconds that it may take while somebody waits. */
const budget = 10_000;

/** A few records of a model as its source has them now: `ModelSample` as JSON text, in which numbers keep every digit. */
export async function sampleModel(
  deps: SourceDependencies,
  organizationId: string,
  id: string,
  options?: Pick<OpenOptions, 'signal' | 'lookTimeout'>,
): Promise<string> {
  const model = await getModel(deps.db, organizationId, id);
  const names = model.fields.map((field) => field.name);
  const signal = options?.signal ?? AbortSignal.timeout(budget);
  const look = (source: RecordSource) => source.sample(names, sampleSize);
  const found = await lookAtModel(deps, model, look, { ...options, signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    const reason =
      options === undefined
        ? `no sample within ${budget / 1000} seconds; ask with async=true`
        : 'no sample in time';
    throw new TidemarkError('invalid_query', { reason }, { cause: error });
  });
  const records = found.map((values) => `{${JSON.stringify(model.id)}:${recordJson(model.fields, values)}}`);
  return `{"records":[${records.join(',')}],"warnings":[]}`;
}
