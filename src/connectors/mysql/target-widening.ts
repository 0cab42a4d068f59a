/** Which of MySQL's types hold every value of which others. */

const integers = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'];
/** Digits before the point that hold them. */
const integerDigits = [3, 5, 7, 10, 19];
const texts = ['tinytext', 'text', 'mediumtext', 'longtext'];
const blobs = ['tinyblob', 'blob', 'mediumblob', 'longblob'];
/** Bytes that the shortest of them hold. */
const shortest = 255;

interface Type {
  base: string;
  first: number;
  second: number;
  unsigned: boolean;
}

/** A column type without the display widths that MariaDB shows and MySQL has given up. */
export function plainType(type: string): string {
  return type === 'json'
    ? 'longtext'
    : type.replace(/^((?:small|medium|big)?int)\(\d+\)/, '$1').replace(/^tinyint\((?!1\))\d+\)/, 'tinyint');
}

export function holds(to: string, from: string): boolean {
  if (to === from) return true;
  const [large, small] = [parse(to), parse(from)];
  const [largeInt, smallInt] = [integers.indexOf(large.base), integers.indexOf(small.base)];
  if (smallInt >= 0) {
    if (largeInt >= 0)
      return largeInt > smallInt || (largeInt === smallInt && large.unsigned === small.unsigned);
    const digits = (integerDigits[smallInt] ?? 0) + (small.unsigned ? 1 : 0);
    if (large.base === 'decimal') return large.first - large.second >= digits;
    if (large.base === 'double') return smallInt < 4;
    return isText(large, digits + 1);
  }
  switch (small.base) {
    case 'decimal':
      if (large.base !== 'decimal') return isText(large, small.first + 2);
      return large.second >= small.second && large.first - large.second >= small.first - small.second;
    case 'float':
      return large.base === 'double';
    case 'date':
      return large.base === 'datetime' || isText(large, 10);
    case 'datetime':
    case 'time':
      return large.base === small.base && large.first >= small.first;
    case 'char':
    case 'varchar':
      return isText(large, small.first);
    case 'binary':
    case 'varbinary':
      return large.base === 'varbinary' ? large.first >= small.first : blobs.includes(large.base);
    case 'bit':
      return large.base === 'bit' && large.first >= small.first;
    default:
      return isLonger(texts, large, small) || isLonger(blobs, large, small);
  }
}

function isText({ base, first }: Type, length: number): boolean {
  if (base === 'varchar') return first >= length;
  // Four bytes a character.
  return texts.includes(base) && (base !== 'tinytext' || length * 4 <= shortest);
}

function isLonger(list: readonly string[], large: Type, small: Type): boolean {
  return list.includes(small.base) && list.indexOf(large.base) >= list.indexOf(small.base);
}

function parse(type: string): Type {
  const [, base = '', first = '0', second = '0'] = /^(\w+)(?:\((\d+)(?:,(\d+))?\))?/.exec(type) ?? [];
  return { base, first: Number(first), second: Number(second), unsigned: / unsigned/.test(type) };
}
