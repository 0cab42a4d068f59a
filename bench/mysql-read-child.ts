/** Reads a table of MariaDB as COPY text, our way or with rows as arrays: `<url> packets|arrays`. */
import mysql from 'mysql2';
import { findConnector } from '../src/connectors/index.ts';
import { createEgress } from '../src/egress/index.ts';
import { encodeCopyText } from '../src/lib/copy-text.ts';
import type { Measurement } from './bulk-child.ts';

const [url = '', way] = process.argv.slice(2);
const started = performance.now();
const before = process.resourceUsage();
let bytes = 0;
if (way === 'packets') await packets();
else await arrays();
const after = process.resourceUsage();
const measurement: Measurement = {
  seconds: (performance.now() - started) / 1000,
  cpuMicroseconds: after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime,
};
if (bytes === 0) throw new Error('nothing was read');
process.send?.(measurement);
process.disconnect?.();

async function packets(): Promise<void> {
  const { hostname, port, username: account, password, pathname } = new URL(url);
  const server = { hostname, port: Number(port), account, passwd: decodeURIComponent(password), ssl: false };
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const source = findConnector('mysql')?.open(
    { ...server, dbname: pathname.slice(1) },
    { egress },
  ).bulkSource;
  const table = await source?.table('shop.orders', undefined);
  if (source === undefined || table === undefined) throw new Error('no source');
  const rows = await source.read(table, 'copy-text', {});
  for await (const chunk of rows) {
    bytes += chunk.length;
    rows.recycle?.(chunk);
  }
  await egress.close();
}

async function arrays(): Promise<void> {
  const connection = mysql.createConnection({
    uri: url,
    rowsAsArray: true,
    typeCast: (field) => field.string(),
  });
  const rows = connection.query('select * from orders').stream({ highWaterMark: 1000 });
  for await (const row of rows) bytes += Buffer.byteLength(encodeCopyText([row]));
  connection.destroy();
}
