import { changed } from './target-text.ts';
import type { Change } from './target-types.ts';
import type { Warnings } from './warnings.ts';

export interface LoadedColumn {
  /** Name in the source. */
  name: string;
  change: Change;
}

const [tab, newline, plus, zero, one, capitalN, backslash, f, t, v] = [
  9, 10, 43, 48, 49, 78, 92, 102, 116, 118,
];
const [formFeed, verticalTab] = [12, 11];
/** Of a timestamp with time zone, from the year to the seconds. */
const secondsLength = 19;

/**
 * COPY text → what LOAD DATA reads: nearly the same. A form feed and a vertical tab are written as they are, since
 * MySQL takes `\f` and `\v` for letters, and values that MySQL holds in another form are changed.
 */
export async function* targetLines(
  chunks: AsyncIterable<Buffer>,
  columns: readonly LoadedColumn[],
  warnings: Warnings,
): AsyncGenerator<Buffer> {
  const plain = columns.every(({ change }) => change === 'none');
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end === 0) {
      rest.push(Buffer.from(chunk));
      continue;
    }
    const whole =
      rest.length === 0 ? chunk.subarray(0, end) : Buffer.concat([...rest, chunk.subarray(0, end)]);
    rest = end < chunk.length ? [Buffer.from(chunk.subarray(end))] : [];
    yield plain && !whole.includes(backslash) ? whole : rewritten(whole, columns, warnings);
  }
}

/** Nothing becomes longer than it was. */
function rewritten(lines: Buffer, columns: readonly LoadedColumn[], warnings: Warnings): Buffer {
  const out = Buffer.allocUnsafeSlow(lines.length);
  let [from, to, column] = [0, 0, 0];
  while (from < lines.length) {
    const { change, name } = columns[column] ?? { change: 'none', name: '' };
    let end = from;
    if (change === 'none') {
      for (let byte = lines[end] as number; byte !== tab && byte !== newline; byte = lines[end] as number) {
        if (byte !== backslash) {
          out[to++] = byte;
          end++;
          continue;
        }
        const code = lines[end + 1] as number;
        if (code === f) out[to++] = formFeed;
        else if (code === v) out[to++] = verticalTab;
        else {
          out[to++] = backslash;
          out[to++] = code;
        }
        end += 2;
      }
    } else {
      while (lines[end] !== tab && lines[end] !== newline) end++;
      to = field(lines, from, end, { change, name }, out, to, warnings);
    }
    const separator = lines[end] as number;
    out[to++] = separator;
    column = separator === newline ? 0 : column + 1;
    from = end + 1;
  }
  return out.subarray(0, to);
}

/** One that has to be changed. The common forms of a value are told by a few bytes. @returns where it ends. */
function field(
  lines: Buffer,
  from: number,
  end: number,
  { change, name }: LoadedColumn,
  out: Buffer,
  to: number,
  warnings: Warnings,
): number {
  const length = end - from;
  if (length === 2 && lines[from] === backslash && lines[from + 1] === capitalN) {
    return to + lines.copy(out, to, from, end);
  }
  if (change === 'boolean') {
    out[to] = lines[from] === t ? one : zero;
    return to + 1;
  }
  if (change === 'hex')
    return to + lines.copy(out, to, lines[from + 1] === backslash ? from + 3 : from + 2, end);
  if (change === 'timestamptz' && isPlainUtc(lines, from, end))
    return to + lines.copy(out, to, from, end - 3);
  const result = changed(lines.toString('latin1', from, end), change);
  if ('text' in result) return to + out.write(result.text, to, 'latin1');
  warnings.add(name, result.rule);
  out[to] = backslash;
  out[to + 1] = capitalN;
  return to + 2;
}

/** `YYYY-MM-DD hh:mm:ss[.ffffff]+00`, in years of four digits. */
function isPlainUtc(lines: Buffer, from: number, end: number): boolean {
  return (
    end - from >= secondsLength + 3 &&
    lines[from + 4] === 0x2d &&
    lines[from + secondsLength - 3] === 0x3a &&
    lines[end - 3] === plus &&
    lines[end - 2] === zero &&
    lines[end - 1] === zero
  );
}
