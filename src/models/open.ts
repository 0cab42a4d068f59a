import { messageOf, TidemarkError } from '../errors.ts';
import { additionalFieldsLayer } from './additional-fields.ts';
import { connectionLayer } from './connection-layer.ts';
import { enrichmentLayer } from './enrichment-layer.ts';
import type { Layer, Opening, OpenOptions, ReadModel, SourceDependencies } from './layer.ts';
import type { RecordSource } from './record-source.ts';
import { relationsLayer } from './relations-layer.ts';

/**
 * Where a model's fields come from, lowest first: each layer sees the fields of those before it. The order is
 * connection, additional fields (taken out of fields of the connection), relations (may join on additional fields),
 * enrichment (may look up by any of them). A new kind of field is one layer in this list; executions, samples and
 * drafts all open models here, so they have it at once.
 */
const layers: readonly Layer[] = [connectionLayer, additionalFieldsLayer, relationsLayer, enrichmentLayer];

/**
 * Opens a model to be read; the caller closes it.
 *
 * @throws not_found when its connection is gone, invalid_field when that is no source.
 */
export function openModelSource(
  deps: SourceDependencies,
  model: ReadModel,
  options: OpenOptions = {},
): Promise<RecordSource> {
  const openUpTo = (count: number, wanted: readonly string[] | undefined): Promise<RecordSource> => {
    const layer = layers[count - 1];
    if (layer === undefined) throw new Error('the lowest layer has nothing below it');
    const openOther: Opening['openOther'] = (other, names) =>
      openModelSource(deps, other, { ...options, wanted: names });
    const opening = { ...options, deps, model, wanted, openOther };
    return layer(opening, (needed) => openUpTo(count - 1, needed));
  };
  return openUpTo(layers.length, options.wanted);
}

/** Opens a model for the time of one call, while somebody waits for the answer. @throws connection_failed */
export function lookAtModel<Result>(
  deps: SourceDependencies,
  model: ReadModel,
  look: (source: RecordSource) => Promise<Result>,
  options: OpenOptions = {},
): Promise<Result> {
  return sayingWhatFailed(async () => {
    await using source = await openModelSource(deps, model, options);
    return await look(source);
  });
}

/** @throws connection_failed when a source cannot be reached; what it says about a query passes through. */
export async function sayingWhatFailed<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    throw new TidemarkError('connection_failed', { reason: messageOf(error) }, { cause: error });
  }
}
