import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { RecordObjects, TargetDefinition } from '../contract.ts';

const beforeHash = Buffer.from('{"hash":"');
const beforeFields = Buffer.from('","fields":');
const [close, comma] = [0x7d, 0x2c];
const digits = Buffer.from('0123456789abcdef');

/** Writes the bodies of requests: what all have alike is made once. */
export function bodyWriter(definition: TargetDefinition): (records: RecordObjects, out: ByteWriter) => void {
  const { sync, configuration, digest } = definition;
  const { metadata } = configuration;
  const extra = metadata == null ? '' : `,"metadata":${JSON.stringify(metadata)}`;
  const named = `"id":${JSON.stringify(sync.id)},"name":${JSON.stringify(sync.name)}`;
  const head = Buffer.from(`{"event":"sync.records","object":{${named}${extra},"records":[`);
  const tail = Buffer.from(']}}');
  // Another override of the same value is something else to a receiver that knows a record by its hash.
  const mapping = Buffer.alloc(8);
  mapping.writeBigInt64BE(BigInt(digest ?? 0));
  return (records, out) => {
    out.copy(head);
    for (let index = 0; index < records.length; index++) {
      if (index > 0) out.byte(comma);
      out.copy(beforeHash);
      writeHex(out, records.hashes, 8 * index, mapping);
      out.copy(beforeFields);
      records.write(index, out);
      out.byte(close);
    }
    out.copy(tail);
  };
}

/** Eight bytes of a hash, mixed with those of the mapping. */
function writeHex(out: ByteWriter, hashes: Buffer, start: number, mapping: Buffer): void {
  out.reserve(16);
  const { bytes } = out;
  for (let index = 0; index < 8; index++) {
    const byte = (hashes[start + index] ?? 0) ^ (mapping[index] ?? 0);
    bytes[out.at++] = digits[byte >> 4] ?? 0;
    bytes[out.at++] = digits[byte & 15] ?? 0;
  }
}
