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
  return { bytes: Buffer.concat(list.map(({ bytes }) => bytes)), ends };
}
