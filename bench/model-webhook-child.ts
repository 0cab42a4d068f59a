/** Posts the bodies of a file to a URL, one request at a time, with undici alone: `<url> <file>`. Reports the seconds. */
import { Agent, request } from 'undici';
import { bodiesOf } from './model-webhook.ts';

const [url = '', file = ''] = process.argv.slice(2);
const dispatcher = new Agent({ connections: 1, pipelining: 1 });
const headers = { 'content-type': 'application/json' };
const started = performance.now();
for await (const body of bodiesOf(file)) {
  const response = await request(url, { method: 'POST', body, headers, dispatcher });
  await response.body.dump();
  if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
}
process.send?.({ seconds: (performance.now() - started) / 1000 });
await dispatcher.close();
