/** Pieces one behind the other; `ends` are the places behind each. */
export interface EndedBytes {
  bytes: Buffer;
  ends: readonly number[];
}

/** In their order. */
export function joinEnded(list: readonly EndedBytes[]): EndedBytes {
  const [first] = list;
  if (first !== undefined && list.length === 1) return first;
  const ends: number[] = [];
  let length = 0;
  for (const one of list) {
    for (const end of one.ends) ends.push(length + end);
    length += one.bytes.length;
  }
  return { bytes: joined(list.map(({ bytes }) => bytes)), ends };
}

/** What lies one behind the other already is not copied. */
function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  if (first === undefined) return Buffer.alloc(0);
  let end = first.byteOffset;
  for (const { buffer, byteOffset, length } of pieces) {
    if (buffer !== first.buffer || byteOffset !== end) return Buffer.concat(pieces);
    end += length;
  }
  return Buffer.from(first.buffer, first.byteOffset, end - first.byteOffset);
}
