/** `UtilFieldType` on the wire. */
export type FieldType =
  | 'unknown'
  | 'string'
  | 'number'
  | 'boolean'
  | 'datetime'
  | 'array'
  | 'object'
  | 'binary';
