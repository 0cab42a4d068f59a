/**
 * Posts the bodies of a file to a URL with undici alone, some requests at a time: `<url> <file> <how many>`. Reports the
 * seconds.
 */
import { Agent, request } from 'undici';
import { bodiesOf } from './model-webhook.ts';

const [url = '', file = '', atATime = '1'] = process.argv.slice(2);
const dispatcher = new Agent({ connections: Number(atATime), pipelining: 1 });
const headers = { 'content-type': 'application/json' };
const bodies = bodiesOf(file);
const post = async () => {
  for await (const body of { [Symbol.asyncIterator]: () => ({ next: () => bodies.next() }) }) {
    const response = await request(url, { method: 'POST', body, headers, dispatcher });
    await response.body.dump();
    if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
  }
};
const started = performance.now();
await Promise.all(Array.from({ length: Number(atATime) }, post));
process.send?.({ seconds: (performance.now() - started) / 1000 });
await dispatcher.close();
