import { type CopyRow, decodeCopyText } from '../../lib/copy-text.ts';
import { jsonText } from '../../lib/pg-text.ts';
import { type FileColumn, fieldOf } from './file-table.ts';
import type { WarningCounts } from './warning-counts.ts';

type Writer = (
  rows: AsyncIterable<Buffer>,
  columns: readonly FileColumn[],
  warnings: WarningCounts,
  written: { rows: number },
) => AsyncGenerator<string>;

/** CSV with a header: NULL is an empty field, an empty text is `""`; booleans are true and false. */
export const csvText: Writer = async function* (rows, columns, _warnings, written) {
  const booleans = columns.map(({ type }) => type === 'boolean');
  const field = (value: string | null, boolean?: boolean) => {
    if (value === null) return '';
    if (boolean) return value === 't' ? 'true' : 'false';
    return value === '' || /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  };
  yield `${columns.map(({ name }) => field(name)).join(',')}\n`;
  for await (const list of decodeCopyText(rows)) {
    const lines = list.map((row) => row.map((value, index) => field(value, booleans[index])).join(','));
    written.rows += lines.length;
    yield `${lines.join('\n')}\n`;
  }
};

/** Arrays of these are JSON arrays; others, and those with bounds of their own, are PostgreSQL's text. */
const elements =
  /^(smallint|integer|bigint|numeric|real|double precision|boolean|text|character varying|uuid|date|timestamp)\b[^[]*\[\]$/;

/** An object a line. Numbers and json keep their digits; what JSON has no form for is a string. */
export const jsonLines: Writer = async function* (rows, columns, warnings, written) {
  const members = columns.map((column) => {
    const field = fieldOf(column);
    const plain =
      column.type.endsWith('[]') && !elements.test(column.type) ? { ...field, type: 'string' } : field;
    return { field: plain, start: `${JSON.stringify(column.name)}:` };
  });
  const line = (row: CopyRow) => {
    const parts = members.map(({ field, start }, index) => {
      const value = row[index] ?? null;
      if (value !== null && field.type === 'array' && value.startsWith('['))
        return `${start}${JSON.stringify(value)}`;
      const text = jsonText(value, field);
      if (field.type !== 'object' || value === null) return `${start}${text}`;
      if (text === 'null') warnings.add(field.name, 'json_null_nulled');
      if (!/[\n\r]/.test(text)) return `${start}${text}`;
      // Only between tokens: within a string JSON has no line breaks.
      warnings.add(field.name, 'json_line_breaks_replaced');
      return `${start}${text.replaceAll(/[\n\r]+/g, ' ')}`;
    });
    return `{${parts.join(',')}}`;
  };
  for await (const list of decodeCopyText(rows)) {
    written.rows += list.length;
    yield `${list.map(line).join('\n')}\n`;
  }
};
