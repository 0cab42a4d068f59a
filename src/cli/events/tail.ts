import { ConfigError } from '../../config.ts';
import type { Environment } from '../index.ts';
import { openStream, streamOptions } from './open-stream.ts';
import { readOptions } from './options.ts';
import type { StreamedEvent } from './stream.ts';

/** `tidemark events tail`: a line for every event as it happens, or its JSON with --json. */
export async function events([action = '', ...args]: string[], environment: Environment): Promise<number> {
  if (action !== 'tail') throw new ConfigError('use "events tail [--type <type>] [--since <time>] [--json]"');
  const { values } = readOptions(args, {
    ...streamOptions,
    json: { type: 'boolean', default: false },
  });
  const { stream } = await openStream(values, environment);
  for await (const event of stream) console.log(values.json ? json(event) : line(event));
  return 0;
}

function line({ created_at, type, event }: StreamedEvent): string {
  const error = typeof event.error === 'string' ? `  ${event.error.split('\n', 1)[0]}` : '';
  return `${created_at}  ${type.padEnd(30)} ${event.sync_name ?? ''}  ${event.execution_id ?? ''}${error}`;
}

function json({ id, organization_id, type, created_at, raw }: StreamedEvent): string {
  return `${JSON.stringify({ id, organization_id, type, created_at }).slice(0, -1)},"event":${raw}}`;
}
