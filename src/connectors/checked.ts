import {
  BatchRefused,
  type CheckedRecord,
  type FieldWarning,
  type ModelReplacement,
  type ModelWriter,
  type OutgoingRecord,
  type RecordResult,
  type TargetDefinition,
} from './contract.ts';
import type { Fit } from './fits.ts';

/** By target field, what changes in a value that comes from a field of the source. */
export type FitOf = (target: string, sourceType: string) => Fit | undefined;

/** @param typeOf a column of the target. One of the same type as the source's changes nothing. */
export function fitsBy(
  typeOf: (target: string) => string | undefined,
  fitOf: (type: string) => Fit | undefined,
): FitOf {
  return (target, sourceType) => {
    const type = typeOf(target) ?? '';
    return type === sourceType ? undefined : fitOf(type);
  };
}

type Check = (record: OutgoingRecord) => CheckedRecord;

const unchanged: CheckedRecord = { refused: undefined, warnings: [] };

/** Refuses records with values that would become others, and warns of those that only lose precision. */
export function checkedWriter(writer: ModelWriter, definition: TargetDefinition, fitOf: FitOf): ModelWriter {
  const check = checkOf(definition, fitOf);
  if (check === undefined) return writer;
  // Values are looked at one by one: records it is, not bytes.
  const { writeLines: _lines, objects: _objects, ...rest } = writer;
  return {
    ...rest,
    async write(records, prepared) {
      const checked = records.map(check);
      const merge = (results: readonly RecordResult[]): RecordResult[] => {
        const answers = results[Symbol.iterator]();
        return checked.map(({ refused, warnings }) => {
          if (refused !== undefined) return { status: 'refused', reason: refused };
          const result: RecordResult | undefined = answers.next().value;
          if (result === undefined) throw new Error('the writer did not answer for every record');
          const isWritten = result.status !== 'refused' && result.status !== 'skipped';
          return isWritten && warnings.length > 0 ? { ...result, warnings: [...warnings] } : result;
        });
      };
      const write = (sound: OutgoingRecord[]) =>
        writer.write(sound, (token, results) => prepared(token, merge(results)));
      return merge((await ofSound(records, checked, write)) ?? []);
    },
  };
}

/** The same for a replacement. */
export function checkedReplacement(
  replacement: ModelReplacement,
  definition: TargetDefinition,
  fitOf: FitOf,
): ModelReplacement {
  const check = checkOf(definition, fitOf);
  if (check === undefined) return replacement;
  return {
    ...replacement,
    async add(records) {
      const checked = records.map(check);
      await ofSound(records, checked, (sound) => replacement.add(sound));
      return checked;
    },
  };
}

/** Does it with the records that are not refused. */
async function ofSound<Result>(
  records: readonly OutgoingRecord[],
  checked: readonly CheckedRecord[],
  use: (sound: OutgoingRecord[]) => Promise<Result>,
): Promise<Result | undefined> {
  const places = checked.flatMap(({ refused }, place) => (refused === undefined ? [place] : []));
  if (places.length === 0) return undefined;
  try {
    return await use(places.flatMap((place) => records[place] ?? []));
  } catch (error) {
    if (!(error instanceof BatchRefused) || error.place === undefined) throw error;
    const { unsure } = error;
    throw new BatchRefused(error.message, { cause: error, place: places[error.place], unsure });
  }
}

/** Undefined where nothing can change. */
function checkOf(definition: TargetDefinition, fitOf: FitOf): Check | undefined {
  const { mode, identity, identityFunction = 'Equality', fields } = definition;
  const key = identity === undefined || identityFunction !== 'Equality' ? undefined : fitOf(identity, '');
  const written = mode === 'remove' ? [] : fields;
  const checks = written.flatMap(({ target, source }, place) => {
    const fit = fitOf(target, source.remoteType);
    return fit === undefined ? [] : [{ place, target, misfitOf: fit }];
  });
  if (key === undefined && checks.length === 0) return undefined;
  return (record) => {
    const misfit = key?.(record.key);
    // With another identity it would be another record.
    if (misfit !== undefined) return { refused: `${identity}: ${misfit.reason}`, warnings: [] };
    const warnings: FieldWarning[] = [];
    for (const { place, target, misfitOf } of checks) {
      const text = record.values[place];
      const found = text === null || text === undefined ? undefined : misfitOf(text);
      if (found === undefined) continue;
      if (found.refused) return { refused: `${target}: ${found.reason}`, warnings: [] };
      warnings.push({ field: target, rule: found.rule, reason: found.reason, value: text ?? '' });
    }
    return warnings.length === 0 ? unchanged : { refused: undefined, warnings };
  };
}
