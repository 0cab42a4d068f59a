import { command } from '../command.ts';
import { printable, printableJson } from '../printable.ts';
import { openStream, streamOptions } from './open-stream.ts';
import type { StreamedEvent } from './stream.ts';

export const tail = command({
  name: 'events tail',
  summary: 'Prints events as they happen, a line for each.',
  options: { ...streamOptions, json: { text: 'Prints the JSON of each event instead.' } },
  async run({ options }, environment) {
    const { stream } = await openStream(options, environment);
    for await (const event of stream) console.log(options.json ? json(event) : line(event));
    return 0;
  },
});

function line({ created_at, type, event }: StreamedEvent): string {
  const error = typeof event.error === 'string' ? `  ${event.error.split('\n', 1)[0]}` : '';
  const said = `${event.sync_name ?? ''}  ${event.execution_id ?? ''}${error}`;
  return `${created_at}  ${type.padEnd(30)} ${printable(said)}`;
}

function json({ id, organization_id, type, created_at, raw }: StreamedEvent): string {
  const head = JSON.stringify({ id, organization_id, type, created_at }).slice(0, -1);
  return printableJson(`${head},"event":${raw}}`);
}
