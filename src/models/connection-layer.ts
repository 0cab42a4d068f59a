import { openConnection } from '../connections/index.ts';
import type { ModelSource } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { Layer, Opening, ReadModel } from './layer.ts';

/** The fields of the source itself; nothing is below. */
export const connectionLayer: Layer = async (opening) => {
  const { configuration } = opening.model;
  const { source, ...opened } = await openSource(opening);
  return {
    ...opened,
    fields: () => source.fields(configuration),
    sample: (fields, limit) => source.sample(configuration, fields, limit),
    keys: (query) => source.keys({ ...query, configuration }),
    records: (query, keys) => source.records({ ...query, configuration }, keys),
  };
};

/** @throws not_found when the connection is gone, invalid_field when it is no source. */
export async function openSource({
  deps,
  model: { organizationId, connectionId },
  signal,
  lookTimeout,
}: Omit<Opening, 'model' | 'openOther'> & { model: Omit<ReadModel, 'configuration'> }): Promise<
  AsyncDisposable & { source: ModelSource }
> {
  const { connection, session } = await openConnection(
    deps,
    organizationId,
    connectionId,
    signal,
    lookTimeout,
  );
  if (session.modelSource !== undefined) {
    return { source: session.modelSource, [Symbol.asyncDispose]: () => session.close() };
  }
  await session.close();
  const reason = `a ${connection.type} connection cannot be the source of a model`;
  throw new TidemarkError('invalid_field', { field: 'connection_id', reason });
}
