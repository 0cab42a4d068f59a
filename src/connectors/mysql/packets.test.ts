import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PacketReader } from './packets.ts';

const longest = 0xffffff;

/** As a server frames it: what fills a packet goes on in the next, which may be empty. */
function framed(payload: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let from = 0; ; from += longest) {
    const part = payload.subarray(from, from + longest);
    const header = Buffer.alloc(4);
    header.writeUIntLE(part.length, 0, 3);
    parts.push(header, part);
    if (part.length < longest) return Buffer.concat(parts);
  }
}

function read(chunks: Buffer[]): Buffer[] {
  const payloads: Buffer[] = [];
  const reader = new PacketReader((source, start, end) =>
    payloads.push(Buffer.from(source.subarray(start, end))),
  );
  for (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    reader.push(copy);
    copy.fill(0xee);
  }
  return payloads;
}

test('payloads come whole however the bytes are cut, and no chunk is kept', () => {
  const cuts = fc.array(fc.nat(400), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), cuts, (list, at) => {
      const payloads = list.map((bytes) => Buffer.from(bytes));
      const bytes = Buffer.concat(payloads.map(framed));
      const ends = [...new Set([...at.filter((cut) => cut < bytes.length), bytes.length])].sort(
        (a, b) => a - b,
      );
      expect(read(ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)))).toEqual(payloads);
    }),
  );
});

test.each([longest - 1, longest, longest + 5, 2 * longest])('a payload of %d bytes, in pieces', (length) => {
  const payloads = [Buffer.from('first'), Buffer.alloc(length, 'ab'), Buffer.from('last')];
  const bytes = Buffer.concat(payloads.map(framed));
  const pieces = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, index) =>
    bytes.subarray(index * 65_536, (index + 1) * 65_536),
  );
  const found = read(pieces);
  expect(found.map((payload) => payload.length)).toEqual(payloads.map((payload) => payload.length));
  expect(found.every((payload, index) => payload.equals(payloads[index] as Buffer))).toBe(true);
});
