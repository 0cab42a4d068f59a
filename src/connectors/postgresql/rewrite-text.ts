import { isAscii, isUtf8 } from 'node:buffer';
import type { ChangedValues, Rewrite } from './copy-text-values.ts';

/** Bytes that are no UTF-8 become �, as everywhere: `invalid_utf8_replaced`. */
export const onlyUtf8: Rewrite = (bytes, values) => {
  if (isUtf8(bytes)) {
    values.pass(bytes);
    return bytes;
  }
  // In COPY text a value cannot hold a tab or line break, so that both end whatever is malformed.
  return Buffer.concat(
    pieces(bytes).map((piece) => (isUtf8(piece) ? passed(piece, values) : replaced(piece, values))),
  );
};

/** Characters beyond ASCII that a server's encoding lacks become a question mark: `unknown_character_replaced`. */
export function onlyKnown(known: ReadonlySet<number>): Rewrite {
  return (bytes, values) => {
    if (isAscii(bytes)) {
      values.pass(bytes);
      return bytes;
    }
    return Buffer.concat(
      pieces(bytes).map((piece) => {
        if (isAscii(piece)) return passed(piece, values);
        const text = piece.toString();
        const changed = text.replaceAll(/\P{ASCII}/gu, (character) =>
          known.has(character.codePointAt(0) ?? 0) ? character : '?',
        );
        if (changed === text) return passed(piece, values);
        values.change();
        return passed(Buffer.from(changed), values);
      }),
    );
  };
}

/** Values, each with what ends it. */
function pieces(bytes: Buffer): Buffer[] {
  const result: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    let end = at;
    while (end < bytes.length && bytes[end] !== 0x09 && bytes[end] !== 0x0a) end++;
    result.push(bytes.subarray(at, end + 1));
    at = end + 1;
  }
  return result;
}

function passed(piece: Buffer, values: ChangedValues): Buffer {
  values.pass(piece);
  return piece;
}

function replaced(piece: Buffer, values: ChangedValues): Buffer {
  values.change();
  values.pass(piece);
  // As Node reads it: � for each part that is malformed.
  return Buffer.from(piece.toString());
}
