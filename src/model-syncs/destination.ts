import { type OpenDependencies, openConnection } from '../connections/index.ts';
import type { ModelDestination, TargetObject } from '../connectors/index.ts';
import { messageOf, TidemarkError, unprocessable } from '../errors.ts';
import { orMeant } from '../lib/near-name.ts';

export type ModelSyncDependencies = OpenDependencies;

/**
 * Opens a connection as a model sync's destination for the time of one call.
 *
 * @throws connection_failed when the destination cannot be reached.
 */
export async function withModelDestination<Result>(
  deps: ModelSyncDependencies,
  organizationId: string,
  connectionId: string,
  use: (destination: ModelDestination, connectionType: string) => Promise<Result>,
): Promise<Result> {
  const { connection, session } = await openConnection(deps, organizationId, connectionId);
  try {
    if (session.modelDestination === undefined) {
      const reason = `a ${connection.type} connection cannot be the target of a model sync`;
      throw new TidemarkError('unprocessable', { reason: `target.connection_id: ${reason}` });
    }
    return await use(session.modelDestination, connection.type);
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    throw new TidemarkError('connection_failed', { reason: messageOf(error) }, { cause: error });
  } finally {
    await session.close();
  }
}

/** @throws unprocessable, naming `target.object`. */
export async function targetObject(destination: ModelDestination, id: string): Promise<TargetObject> {
  const objects = await destination.objects();
  const object = objects.find((one) => one.id === id);
  if (object !== undefined) {
    const [reason] = Object.values(object.lacking ?? {});
    if (object.modes.length > 0 || reason === undefined) return object;
    throw unprocessable('target.object', `${id} takes no records: ${reason}`);
  }
  const near = orMeant(
    id,
    objects.filter(({ modes }) => modes.length > 0).map((one) => one.id),
  );
  throw unprocessable(
    'target.object',
    `${JSON.stringify(id)} is not an object of the target connection${near}`,
  );
}
