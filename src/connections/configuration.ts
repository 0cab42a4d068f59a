import { Value } from 'typebox/value';
import type { Connector } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import { checkTexts } from './check-texts.ts';

/**
 * A configuration with the connector's defaults filled in, checked against its schema.
 *
 * @throws unprocessable that names the first key that is missing or wrong.
 */
export function checkConfiguration(connector: Connector, configuration: JsonObject): JsonObject {
  const complete = Value.Default(connector.configuration, structuredClone(configuration)) as JsonObject;
  checkTexts(complete);
  const [error] = Value.Errors(connector.configuration, complete);
  if (error === undefined) return complete;
  const { requiredProperties } = error.params as { requiredProperties?: string[] };
  const path = [error.instancePath.slice(1).replaceAll('/', '.'), requiredProperties?.[0]];
  const field = ['configuration', ...path.filter(Boolean)].join('.');
  throw new TidemarkError('unprocessable', { reason: `${field}: ${error.message}` });
}
