import { openConnection } from '../connections/index.ts';
import type { ModelSource, ValueWarning } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { Layer, Opening, ReadModel } from './layer.ts';

/** The fields of the source itself; nothing is below. */
export const connectionLayer: Layer = async (opening) => {
  const { configuration } = opening.model;
  const opened = await openSource(opening);
  const { source } = opened;
  const changed = new Map<string, number>();
  const warned = (warnings: readonly ValueWarning[]) => {
    for (const { column, rule, count } of warnings) {
      const what = `Values of ${column} were changed while they were read: ${rule}`;
      changed.set(what, (changed.get(what) ?? 0) + count);
    }
  };
  return {
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      for (const [what, count] of changed) {
        await opening.warn?.(`${what}, ${count} of them (docs/types.md)`);
      }
    },
    fields: () => source.fields(configuration),
    sample: (fields, limit) => source.sample(configuration, fields, limit),
    keys: (query) => source.keys({ ...query, configuration }),
    records: (query, keys) => source.records({ ...query, configuration, warned }, keys),
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
