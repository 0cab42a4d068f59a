import type { Field, SourceMeta } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import { openSource } from './connection-layer.ts';
import type { SourceDependencies } from './layer.ts';
import { lookAtModel, sayingWhatFailed } from './open.ts';

/** The next choice to make on the way to a model's configuration, given those made so far. */
export function sourceMeta(
  deps: SourceDependencies,
  organizationId: string,
  connectionId: string,
  parameters: Record<string, string[]>,
): Promise<SourceMeta> {
  return sayingWhatFailed(async () => {
    await using opened = await openSource({ deps, model: { organizationId, connectionId } });
    return await opened.source.meta(parameters);
  });
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
  return lookAtModel(deps, { organizationId, connectionId, configuration }, (source) => source.fields());
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
