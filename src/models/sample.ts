import { TidemarkError } from '../errors.ts';
import { recordJson } from '../lib/pg-text.ts';
import { enrichedFields, type FieldsOfOthers } from './enricher.ts';
import type { OpenOptions, SourceDependencies } from './layer.ts';
import { lookAtModel } from './open.ts';
import type { RecordSource } from './record-source.ts';
import { relatedName } from './related-name.ts';
import { relatedModels } from './relations.ts';
import { getModel } from './store.ts';

const sampleSize = 10;
/** Milliseconds that it may take while somebody waits. */
const budget = 10_000;

/**
 * A few records of a model as its source has them now, each with its partners in related models and with what is looked
 * up for it: `ModelSample` as JSON text, in which numbers keep every digit.
 */
export async function sampleModel(
  deps: SourceDependencies,
  organizationId: string,
  id: string,
  options?: Pick<OpenOptions, 'signal' | 'lookTimeout'>,
): Promise<string> {
  const model = await getModel(deps.db, organizationId, id);
  const related: FieldsOfOthers[] = (await relatedModels(deps.db, model)).map((one) => one.model);
  if (model.enricher !== null) related.push(enrichedFields(model.enricher));
  const wanted = [model, ...related].flatMap(({ id, fields }) =>
    fields.map(({ name }) => (id === model.id ? name : relatedName(id, name))),
  );
  const warnings: string[] = [];
  const warn = async (message: string) => void warnings.push(message);
  const signal = options?.signal ?? AbortSignal.timeout(budget);
  const look = (source: RecordSource) => source.sample(wanted, sampleSize);
  const found = await lookAtModel(deps, model, look, { ...options, signal, wanted, warn }).catch(
    (error: unknown) => {
      if (!signal.aborted) throw error;
      const reason =
        options === undefined
          ? `no sample within ${budget / 1000} seconds; ask with async=true`
          : 'no sample in time';
      throw new TidemarkError('invalid_query', { reason }, { cause: error });
    },
  );
  const records = found.map((values) => {
    const rest = [...values];
    const members = [model, ...related].map(
      ({ id, fields }) => `${JSON.stringify(id)}:${recordJson(fields, rest.splice(0, fields.length))}`,
    );
    return `{${members.join(',')}}`;
  });
  return `{"records":[${records.join(',')}],"warnings":${JSON.stringify(warnings)}}`;
}
