import type { FieldPacket } from 'mysql2';

const [unsignedFlag, enumFlag, setFlag] = [32, 256, 2048];
const binaryCharset = 63;
/** Bytes of a character in the results of our sessions. */
const characterLength = 4;

const names: Record<number, string> = {
  1: 'tinyint',
  2: 'smallint',
  3: 'int',
  4: 'float',
  5: 'double',
  7: 'timestamp',
  8: 'bigint',
  9: 'mediumint',
  10: 'date',
  11: 'time',
  12: 'datetime',
  13: 'year',
  242: 'vector',
  245: 'json',
  255: 'geometry',
};

/** The type of a column of a result, as information_schema writes that of a table's column. */
export function resultType(field: FieldPacket): string {
  const { columnType = 253, columnLength: length = 0, decimals = 0 } = field;
  const flags = Number(field.flags ?? 0);
  const unsigned = flags & unsignedFlag ? ' unsigned' : '';
  const name = names[columnType];
  if (columnType === 0 || columnType === 246) {
    const precision = length - (decimals > 0 ? 1 : 0) - (unsigned ? 0 : 1);
    return `decimal(${precision},${decimals})${unsigned}`;
  }
  if (columnType === 16) return `bit(${length})`;
  if (name !== undefined) return /int$/.test(name) ? `${name}${unsigned}` : name;
  if (field.characterSet === binaryCharset)
    return columnType >= 249 && columnType <= 252 ? 'blob' : 'varbinary';
  if (flags & enumFlag) return 'enum()';
  if (flags & setFlag) return 'set()';
  return columnType >= 249 && columnType <= 252 ? 'text' : `varchar(${Math.floor(length / characterLength)})`;
}
