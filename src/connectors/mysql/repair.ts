import { isUtf8 } from 'node:buffer';
import type { StreamedColumn } from './row-stream.ts';
import type { Warnings } from './warnings.ts';

/** Whether PostgreSQL's text can hold these bytes: valid UTF-8 without NUL. */
export function isClean(lines: Buffer): boolean {
  return isUtf8(lines) && !lines.includes(0);
}

/** Whole lines of COPY text with the NULs left out and invalid bytes replaced, and each such value counted. */
export function repaired(
  lines: Buffer,
  columns: readonly Pick<StreamedColumn, 'name' | 'keepsNul'>[],
  warnings: Warnings,
): Buffer {
  const repair = (field: Buffer, column: number): Buffer => {
    if (isClean(field)) return field;
    const { name = '', keepsNul } = columns[column] ?? {};
    if (!isUtf8(field)) warnings.add(name, 'invalid_text_replaced');
    if (keepsNul) return Buffer.from(field.toString('utf8'));
    if (field.includes(0)) warnings.add(name, 'nul_removed');
    return Buffer.from(field.toString('utf8').replaceAll('\0', ''));
  };
  return joined(
    split(lines, 0x0a).map((line) => (isClean(line) ? line : joined(split(line, 0x09).map(repair), '\t'))),
    '\n',
  );
}

function split(bytes: Buffer, separator: number): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(separator); end >= 0; end = bytes.indexOf(separator, start)) {
    parts.push(bytes.subarray(start, end));
    start = end + 1;
  }
  parts.push(bytes.subarray(start));
  return parts;
}

function joined(parts: Buffer[], separator: string): Buffer {
  const between = Buffer.from(separator);
  return Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [part] : [between, part])));
}
