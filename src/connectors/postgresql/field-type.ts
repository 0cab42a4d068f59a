import type { FieldType } from '../../schema/field-type.ts';

/**
 * The wire's field type of a PostgreSQL type.
 *
 * @param type its category letter followed by its name, as `typcategory || typname` gives them.
 */
export function fieldTypeOf(type: string): FieldType {
  const [category, name] = [type.slice(0, 1), type.slice(1)];
  if (name === 'json' || name === 'jsonb' || name === 'hstore') return 'object';
  if (name === 'bytea') return 'binary';
  if (name === 'money' || name === 'uuid') return 'string';
  if (name === 'time' || name === 'timetz') return 'string';
  switch (category) {
    case 'B':
      return 'boolean';
    case 'N':
      return 'number';
    case 'D':
      return 'datetime';
    case 'A':
      return 'array';
    case 'C':
      return 'object';
    default:
      return 'string';
  }
}
