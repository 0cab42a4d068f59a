import { anyKind, type Kinds, kindsOf } from './text-kinds.ts';

/** Narrows down, value by value, what each column of COPY text may be. */
export class KindGuess {
  readonly #possible: Kinds[];

  constructor(columns: number) {
    this.#possible = Array<Kinds>(columns).fill(anyKind);
  }

  get possible(): readonly Kinds[] {
    return this.#possible;
  }

  /** @param bytes whole rows of COPY text. */
  push(bytes: Uint8Array): void {
    const possible = this.#possible;
    let column = 0;
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte !== 0x09 && byte !== 0x0a) continue;
      const before = possible[column] as Kinds;
      if (before !== 0 && !(at === start + 2 && bytes[start] === 0x5c && bytes[start + 1] === 0x4e)) {
        possible[column] = kindsOf(bytes, start, at, before);
      }
      start = at + 1;
      column = byte === 0x09 ? column + 1 : 0;
    }
  }
}
