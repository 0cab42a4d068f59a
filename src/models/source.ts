import { openConnection } from '../connections/index.ts';
import type { Field, ModelSource, SourceMeta } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Egress } from '../egress/index.ts';
import { messageOf, TidemarkError } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import type { KeyRing } from '../lib/seal.ts';

export interface SourceDependencies {
  db: Database;
  keyRing: KeyRing;
  egress: Egress;
}

/**
 * Opens a connection as a model's source for the time of one call.
 *
 * @throws connection_failed when the source cannot be reached; what it says about a query passes through.
 */
export async function withModelSource<Result>(
  deps: SourceDependencies,
  organizationId: string,
  connectionId: string,
  use: (source: ModelSource, connectionType: string) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const { connection, session } = await openConnection(deps, organizationId, connectionId, signal);
  try {
    if (session.modelSource === undefined) {
      const reason = `a ${connection.type} connection cannot be the source of a model`;
      throw new TidemarkError('invalid_field', { field: 'connection_id', reason });
    }
    return await use(session.modelSource, connection.type);
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    throw new TidemarkError('connection_failed', { reason: messageOf(error) }, { cause: error });
  } finally {
    await session.close();
  }
}

/** The next choice to make on the way to a model's configuration, given those made so far. */
export function sourceMeta(
  deps: SourceDependencies,
  organizationId: string,
  connectionId: string,
  parameters: Record<string, string[]>,
): Promise<SourceMeta> {
  return withModelSource(deps, organizationId, connectionId, (source) => source.meta(parameters));
}

/** The fields a configuration gives, chosen by the same parameters as `sourceMeta`. */
export function sourceFields(
  deps: SourceDependencies,
  organizationId: string,
  connectionId: string,
  parameters: Record<string, string[]>,
): Promise<Field[]> {
  const configuration: JsonObject = {};
  for (const [name, values] of Object.entries(parameters)) {
    configuration[name] = name === 'tracking_columns' || values.length > 1 ? values : (values[0] ?? null);
  }
  return withModelSource(deps, organizationId, connectionId, (source) => source.fields(configuration));
}

/**
 * Reads the parameters of `sourceMeta`: one JSON text (`params={"table":["x"]}`, as the clients send it), or
 * plain keys (`?table=x`, as one types it).
 */
export function sourceParameters(query: Record<string, unknown>): Record<string, string[]> {
  const { params, ...plain } = query;
  const given = params === undefined ? plain : { ...plain, ...parse(params) };
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, [value].flat().map((one) => String(one))]),
  );
}

function parse(params: unknown): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(String(params));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // Falls through: text that is no JSON and JSON that is no object are told the same.
  }
  const reason = 'must be a JSON object of lists, e.g. {"table":["public.users"]}';
  throw new TidemarkError('invalid_field', { field: 'params', reason });
}
