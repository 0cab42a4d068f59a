import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { ConfigError } from '../../config.ts';
import { messageOf } from '../../errors.ts';
import { eventTypes, isEventType } from '../../events/index.ts';

/** Reads options, with a wrong one explained instead of thrown. @throws ConfigError */
export function readOptions<Options extends ParseArgsOptionsConfig>(args: string[], options: Options) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new ConfigError(messageOf(error));
  }
}

/** @throws ConfigError for one that does not exist. */
export function checkTypes(types: readonly string[]): void {
  const unknown = types.find((type) => !isEventType(type));
  if (unknown !== undefined) throw new ConfigError(`${unknown} is none of ${eventTypes.join(', ')}`);
}

/** @throws ConfigError for what is no http:// or https:// URL. */
export function checkUrl(option: string, text: string | undefined): string {
  if (text !== undefined && /^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new ConfigError(`${option}: takes an http:// or https:// URL`);
}
