import type { Field } from '../contract.ts';
import type { Column } from './columns.ts';
import { bits, literal } from './quote.ts';
import { changed } from './target-text.ts';

/**
 * A value in PostgreSQL's output format as a literal for a column. What MySQL has another form for is put into it;
 * everything else is for the server to take or to refuse.
 */
export function literalFor(
  column: Column,
  source: Pick<Field, 'type' | 'remoteType'>,
  text: string | null,
): string {
  if (text === null) return 'null';
  switch (column.rendering) {
    case 'number':
    case 'float':
    case 'double':
      return source.type === 'boolean' ? (text === 't' ? '1' : '0') : literal(text);
    case 'bytes':
      return source.type === 'binary' && /^\\x([0-9a-f]{2})*$/.test(text)
        ? `x'${text.slice(2)}'`
        : literal(text);
    case 'bits':
      if (source.type === 'boolean') return text === 't' ? '1' : '0';
      return /^[01]{1,64}$/.test(text) && /^bit/.test(source.remoteType) ? bits(text) : literal(text);
    case 'date':
    case 'datetime':
    case 'timestamp': {
      const result = changed(text, 'timestamptz');
      return literal('text' in result ? result.text : text);
    }
    default:
      return literal(text);
  }
}
