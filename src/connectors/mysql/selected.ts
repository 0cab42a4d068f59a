import type { Column } from './columns.ts';
import { charset as charsetName, identifier } from './quote.ts';
import type { StreamedColumn } from './row-stream.ts';

export interface Selected {
  /** Of the SELECT. */
  list: string;
  rendered: StreamedColumn[];
  /** Columns that the list has one more value for: whether the server could write their text in UTF-8. */
  checked: string[];
}

/** All of whose characters Unicode has, and the server's conversion keeps. */
const exactCharsets = /^(utf8|utf8mb3|utf8mb4|ascii|latin1|ucs2|utf16|utf16le|utf32|binary)$/;

/** @param salt of the columns that are obfuscated. */
export function selected(columns: readonly (Column & { obfuscated?: boolean })[], salt = ''): Selected {
  const checked = columns.filter(({ charset }) => charset !== null && !exactCharsets.test(charset));
  return {
    list: [...columns.map(expression), ...checked.map(survives)].join(', ') || 'null',
    rendered: columns.map(({ name, rendering, carrier, obfuscated }) => ({
      name,
      rendering,
      ...(rendering === 'bits' ? { width: Number(/\d+/.exec(carrier)?.[0]) } : {}),
      ...(obfuscated ? { salt } : {}),
    })),
    checked: checked.map(({ name }) => name),
  };
}

/** A float is shown with six digits, and a double with a scale in as many as that; their product is neither. */
function expression({ name, rendering }: Column): string {
  return rendering === 'float' || rendering === 'double' ? `${identifier(name)} * 1e0` : identifier(name);
}

function survives({ name, charset }: Column): string {
  const column = identifier(name);
  return `cast(${column} as binary) <=> cast(convert(convert(${column} using utf8mb4) using ${charsetName(charset ?? 'binary')}) as binary)`;
}
