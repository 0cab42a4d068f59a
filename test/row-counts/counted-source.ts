import { Readable } from 'node:stream';
import type { BulkRange, BulkSource, BulkTable, RowStream } from '../../src/connectors/index.ts';

/** What goes wrong with the rows of the last read. */
export type Fault =
  | 'none'
  | 'lost by the source'
  | 'repeated by the source'
  | 'lost unnoticed'
  | 'not counted';

/** A source of rows `1 … rows`, in ranges of five where they are asked for, one of which goes wrong. */
export function countedSource(rows: number, fault: Fault): BulkSource {
  const ids = Array.from({ length: rows }, (_, index) => index + 1);
  const size = 5;
  return {
    table: async (schemaId): Promise<BulkTable> => ({
      schemaId,
      columns: [
        { name: 'id', outputName: 'id', type: 'bigint', nullable: false },
        { name: 'name', outputName: 'name', type: 'text', nullable: true },
      ],
      primaryKey: ['id'],
      estimatedRows: rows,
      formats: ['copy-text'],
    }),
    ranges: async () =>
      Array.from({ length: Math.ceil(rows / size) }, (_, index) => ({
        id: `r${index}`,
        bounds: { from: index * size },
      })),
    read: async (_table, _format, { range }) => {
      const wanted = range === undefined ? ids : ids.slice(from(range), from(range) + size);
      return streamOf(wanted, wanted.includes(rows) ? fault : 'none');
    },
  };
}

const from = ({ bounds }: BulkRange) => Number(bounds.from);

function streamOf(ids: readonly number[], fault: Fault): RowStream {
  const lost = fault === 'lost by the source' || fault === 'lost unnoticed';
  const arriving = [
    ...(lost ? ids.slice(0, -1) : ids),
    ...(fault === 'repeated by the source' ? ids.slice(-1) : []),
  ];
  const bytes = Buffer.from(arriving.map((id) => `${id}\tname ${id}\n`).join(''));
  return Object.assign(Readable.from([bytes]), {
    rows: fault === 'lost unnoticed' ? ids.length : arriving.length,
    bytes: bytes.length,
    sent: fault === 'not counted' ? undefined : ids.length,
  });
}
