type Precision = 'single' | 'double';

/** From this many digits before the point on, PostgreSQL writes an exponent. */
const fixedDigits = { single: 6, double: 15 };
/** Above it not every whole number is one of the kind. */
const wholeLimit = { single: 2 ** 24, double: 2 ** 53 };
/** Below it a single has fewer than six exact digits. */
const smallestNormalSingle = 2 ** -126;

/**
 * A number as PostgreSQL writes it: the fewest digits that are read back as the same one, an exponent of two digits
 * or more for the very big and the very small. (A few singles that are powers of two beyond 2^80 get a digit more
 * than they need: they are the same numbers.)
 */
export function floatText(text: string, precision: Precision): string {
  const value = precision === 'single' ? Math.fround(Number(text)) : Number(text);
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits = '', power = ''] = shortest(Math.abs(value), precision).split('e');
  return (value < 0 ? '-' : '') + placed(digits.replace('.', ''), Number(power), fixedDigits[precision]);
}

/** @param exponent of the first digit. */
function placed(digits: string, exponent: number, limit: number): string {
  if (exponent < -4 || exponent >= limit) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

function shortest(value: number, precision: Precision): string {
  if (precision === 'double') {
    let text = value.toExponential();
    // More digits where JavaScript is content with the middle between two numbers: 17 tell any from all others.
    for (let digits = digitsOf(text); digits < 17 && isHalfway(text, value, precision); digits++) {
      text = value.toExponential(digits);
    }
    return text;
  }
  for (let digits = value < smallestNormalSingle ? 0 : 5; digits < 8; digits++) {
    const text = rounded(value, digits);
    if (Math.fround(Number(text)) === value && !isHalfway(text, value, precision)) return text;
  }
  return rounded(value, 8);
}

function digitsOf(text: string): number {
  return text.indexOf('e') - (text.includes('.') ? 1 : 0);
}

/** Halves go to the even digit, as in PostgreSQL; JavaScript takes them up. */
function rounded(value: number, digits: number): string {
  const text = value.toExponential(digits);
  const longer = value.toExponential(digits + 1);
  const isHalf = longer.includes('5e') && Number(longer) === value;
  const even = isHalf ? text.replace(/[13579](?=e)/, (digit) => String(Number(digit) - 1)) : text;
  return even.replace(/(\.\d*?)0+e/, '$1e').replace('.e', 'e');
}

/**
 * Whether the digits lie in the middle between a number and its neighbour, where it is the reader's rounding that
 * decides: PostgreSQL writes one more. Only whole numbers have middles of so few digits.
 */
function isHalfway(text: string, value: number, precision: Precision): boolean {
  if (value < wholeLimit[precision] || value > 1e23) return false;
  const [digits = '', power = ''] = text.split('e');
  const fraction = digits.split('.')[1]?.length ?? 0;
  const written = BigInt(digits.replace('.', '')) * 10n ** BigInt(Number(power) - fraction);
  const exact = BigInt(value);
  if (written === exact) return false;
  const neighbour = neighbourOf(value, written > exact ? 1n : -1n, precision);
  return 2n * written === exact + BigInt(neighbour);
}

function neighbourOf(value: number, step: bigint, precision: Precision): number {
  const view = new DataView(new ArrayBuffer(8));
  if (precision === 'single') {
    view.setFloat32(0, value);
    view.setUint32(0, view.getUint32(0) + Number(step));
    return view.getFloat32(0);
  }
  view.setFloat64(0, value);
  view.setBigUint64(0, view.getBigUint64(0) + step);
  return view.getFloat64(0);
}
