import type { FieldType } from '../../schema/field-type.ts';

/** The wire's field type of a DuckDB type, by its name in SQL. */
export function fieldTypeOf(type: string): FieldType {
  if (/\[\d*\]$/.test(type)) return 'array';
  if (/^(STRUCT|MAP|UNION)\(|^(JSON|VARIANT)$/.test(type)) return 'object';
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$|^(DECIMAL|FLOAT|DOUBLE|BIGNUM)/.test(type)) return 'number';
  if (/^(DATE|TIMESTAMP)/.test(type)) return 'datetime';
  if (type === 'BOOLEAN') return 'boolean';
  if (type === 'BLOB') return 'binary';
  return 'string';
}
