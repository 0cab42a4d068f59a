import { ByteWriter } from '../../lib/byte-writer.ts';
import type { RecordObjects, TargetDefinition } from '../contract.ts';

const [beforeHash, beforeFields, close, comma] = ['{"hash":"', '","fields":', '}', ','].map((text) =>
  Buffer.from(text),
) as [Buffer, Buffer, Buffer, Buffer];
const digits = 16;
/** Bytes that a record has beside its fields. */
const frame = beforeHash.length + digits + beforeFields.length + close.length + comma.length;

/** Makes the bodies of requests: what all have alike is made once. */
export function bodyWriter(definition: TargetDefinition): (records: RecordObjects) => Buffer {
  const { sync, configuration, digest } = definition;
  const { metadata } = configuration;
  const extra = metadata == null ? '' : `,"metadata":${JSON.stringify(metadata)}`;
  const named = `"id":${JSON.stringify(sync.id)},"name":${JSON.stringify(sync.name)}`;
  const head = Buffer.from(`{"event":"sync.records","object":{${named}${extra},"records":[`);
  const tail = Buffer.from(']}}');
  // Another override of the same value is something else to a receiver that knows a record by its hash.
  const mapping = Buffer.alloc(8);
  mapping.writeBigInt64BE(BigInt(digest ?? 0));
  return ({ bytes, starts, ends, hashes }) => {
    const hex = hexOf(hashes, mapping);
    const out = new ByteWriter(head.length + bytes.length + frame * ends.length + tail.length);
    out.copy(head);
    for (let index = 0; index < ends.length; index++) {
      if (index > 0) out.copy(comma);
      out.copy(beforeHash);
      out.copy(hex, digits * index, digits * (index + 1));
      out.copy(beforeFields);
      out.copy(bytes, starts[index], ends[index]);
      out.copy(close);
    }
    out.copy(tail);
    return out.written();
  };
}

function hexOf(hashes: Buffer, mapping: Buffer): Buffer {
  const mixed = Buffer.allocUnsafe(hashes.length);
  for (let at = 0; at < hashes.length; at++) mixed[at] = (hashes[at] ?? 0) ^ (mapping[at % 8] ?? 0);
  return Buffer.from(mixed.toString('hex'));
}
