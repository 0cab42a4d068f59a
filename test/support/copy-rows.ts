import { Readable } from 'node:stream';
import type { RowStream } from '../../src/connectors/index.ts';
import { encodeCopyText } from '../../src/lib/copy-text.ts';

/** Rows on their way, in pieces of a few bytes. */
export function copyRows(rows: readonly (string | null)[][]): RowStream {
  const bytes = Buffer.from(encodeCopyText(rows));
  const chunks = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, index) =>
    bytes.subarray(index * 1000, index * 1000 + 1000),
  );
  return Object.assign(Readable.from(chunks), {
    rows: rows.length,
    bytes: bytes.length,
    sent: rows.length,
  });
}
