import dgram from 'node:dgram';
import { once } from 'node:events';

/** What a DNS server says of a name: its addresses, that it knows none or no such name, that it fails; or nothing at all. */
export type DnsAnswer =
  | { a?: string[]; aaaa?: string[]; ttl?: number; silent?: ('a' | 'aaaa')[] }
  | 'fails'
  | 'silent';

/** A real DNS server on loopback. */
export interface DnsServer extends AsyncDisposable {
  /** For a resolver's list of servers. */
  address: string;
  names: Map<string, DnsAnswer>;
  /** What was asked, as `a example.test`. */
  asked: string[];
}

export async function startDnsServer(names: Record<string, DnsAnswer>): Promise<DnsServer> {
  const socket = dgram.createSocket('udp4');
  const server = {
    address: '',
    names: new Map(Object.entries(names)),
    asked: [] as string[],
    async [Symbol.asyncDispose]() {
      socket.close();
    },
  };
  socket.on('message', (query, { address, port }) => {
    const { name, type, end } = questionOf(query);
    const family = type === 1 ? 'a' : type === 28 ? 'aaaa' : undefined;
    if (family === undefined) return;
    server.asked.push(`${family} ${name}`);
    const known = server.names.get(name);
    if (known === 'silent' || (typeof known === 'object' && known.silent?.includes(family))) return;
    const records = typeof known === 'object' ? (known[family] ?? []) : [];
    const code = known === 'fails' ? 2 : known === undefined ? 3 : 0;
    const ttl = typeof known === 'object' ? (known.ttl ?? 60) : 0;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // An answer from a server that recurses.
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const answers = records.map((record) => recordOf(type, ttl, record));
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  server.address = `127.0.0.1:${socket.address().port}`;
  return server;
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function recordOf(type: number, ttl: number, address: string): Buffer {
  const data =
    type === 1
      ? Buffer.from(address.split('.').map(Number))
      : Buffer.from(
          address
            .split(':')
            .map((word) => word.padStart(4, '0'))
            .join(''),
          'hex',
        );
  const head = Buffer.alloc(12);
  // Of the name in the question.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
