import type { FitOf } from './checked.ts';
import { BatchRefused, type FixedValue, type TargetField } from './contract.ts';

interface Rules {
  fields: readonly TargetField[];
  fitOf: FitOf;
  /** By triggers, before the database looks at NOT NULL and checks. */
  isRewritten?: boolean;
}

/**
 * `ModelDestination.refusals` of a target with columns: by the rules that its records are checked by, and else by the
 * database itself.
 *
 * @param store puts a value into a column like the field's, which nobody else sees. Throws as `ModelWriter.write` does.
 */
export async function refusalsBy(
  values: readonly FixedValue[],
  { fields, fitOf, isRewritten = false }: Rules,
  store: (text: string, field: TargetField, value: FixedValue) => Promise<void>,
): Promise<(string | undefined)[]> {
  const refusals: (string | undefined)[] = [];
  for (const value of values) {
    const field = fields.find(({ id }) => id === value.target);
    refusals.push(field === undefined ? undefined : await refusalOf(field, value));
  }
  return refusals;

  async function refusalOf(field: TargetField, value: FixedValue): Promise<string | undefined> {
    const { target, source, text } = value;
    if (text === null) return field.nullable || isRewritten ? undefined : 'it cannot be NULL';
    const misfit = fitOf(target, source.remoteType)?.(text);
    if (misfit?.refused) return misfit.reason;
    try {
      await store(text, field, value);
      return undefined;
    } catch (error) {
      if (!(error instanceof BatchRefused)) throw error;
      const named = `${target}: `;
      return error.message.startsWith(named) ? error.message.slice(named.length) : error.message;
    }
  }
}
