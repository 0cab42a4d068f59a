import type { Field, SourceMeta } from '../connectors/index.ts';
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
