import type { FixedValue, ModelDestination, TargetField } from '../connectors/index.ts';
import { unprocessable } from '../errors.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import type { Definition, MappedField } from './model-sync.ts';
import { overrideText } from './overrides.ts';
import { knownField, type SyncedModels } from './synced-models.ts';
import { textField } from './task.ts';

/** A value as the request has it. */
interface Placed extends FixedValue {
  place: string;
}

/** Characters of a value that a message shows. */
const shownAtMost = 100;

/**
 * Asks the target for the constants and overrides that it would refuse in every record: one such would keep a sync from
 * ever writing anything.
 *
 * @param targets that are there. @throws unprocessable
 */
export async function checkFixedValues(
  destination: ModelDestination,
  models: SyncedModels,
  request: ModelSyncRequest,
  definition: Definition,
  targets: readonly TargetField[],
): Promise<void> {
  // Nothing is written in mode remove.
  if (destination.refusals === undefined || definition.mode === 'remove') return;
  const known = new Map(targets.map((field) => [field.id, field]));
  const values = definition.fields.flatMap((field, index) =>
    known.has(field.target)
      ? [...constantOf(field, placeOf(request, index)), ...overridesOf(field, models, definition)]
      : [],
  );
  if (values.length === 0) return;
  const refusals = await destination.refusals(definition.target.object, values);
  for (const [index, { place, target, text }] of values.entries()) {
    const reason = refusals[index];
    if (reason === undefined) continue;
    const type = known.get(target)?.remoteType;
    const shown = text !== null && text.length > shownAtMost ? `${text.slice(0, shownAtMost)}…` : text;
    throw unprocessable(place, `${target} (${type}) does not take ${JSON.stringify(shown)}: ${reason}`);
  }
}

/** Those of `override_fields` come after the others. */
function placeOf({ fields }: ModelSyncRequest, index: number): string {
  const name = index < fields.length ? `fields.${index}` : `override_fields.${index - fields.length}`;
  return `${name}.override_value`;
}

function constantOf({ target, constant }: MappedField, place: string): Placed[] {
  return constant === undefined ? [] : [{ place, target, source: textField(target), text: constant }];
}

function overridesOf(
  { field: name, target, createOnly, encrypted }: MappedField,
  models: SyncedModels,
  { overrides }: Definition,
): Placed[] {
  const source = name === undefined ? undefined : knownField(models, name);
  if (source === undefined || encrypted) return [];
  return overrides.flatMap((one, index) => {
    if (one.field !== name) return [];
    const place = `overrides.${index}.override`;
    const text = overrideText(one.override, source, place);
    // What is only created stays as it is where there is nothing to send.
    return text === null && createOnly ? [] : [{ place, target, source, text }];
  });
}
