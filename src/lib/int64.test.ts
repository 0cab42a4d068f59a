import { expect, test } from 'vitest';
import { writeInt64 } from './int64.ts';

test('as BigInt says it, at the bounds of its halves and anywhere', () => {
  const bounds = [0n, 1n, 9n, 2n ** 31n, 2n ** 32n, 10n ** 18n, 2n ** 62n, 2n ** 63n].flatMap((one) =>
    [-1n, 0n, 1n].flatMap((more) => [one + more, -one - more]),
  );
  const numbers = [
    ...bounds,
    ...Array.from({ length: 1000 }, () => crypto.getRandomValues(new BigInt64Array(1))[0]),
  ];
  for (const number of numbers) {
    if (number === undefined || BigInt.asIntN(64, number) !== number) continue;
    const out = Buffer.alloc(10);
    writeInt64(out, 1, Buffer.from(`7${number}7`), 1, 1 + `${number}`.length);
    expect(out.readBigInt64BE(1), `${number}`).toBe(number);
  }
});
