import net from 'node:net';
import { parseCidr } from '../lib/cidr.ts';

/**
 * Ranges that no user may aim a request at unless the operator allows them: this machine, private networks,
 * link-local (which holds the clouds' metadata services), shared and documentation ranges, multicast, reserved.
 */
const forbidden4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
const forbidden6 = [
  '::/128',
  '::1/128',
  '100::/64',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

/** This machine itself, whatever its address is called. */
const thisMachine = ['127.0.0.0/8', '0.0.0.0/8', '::/128', '::1/128'];

/** Decides by parsed bytes, never by the look of the text. */
export interface AddressPolicy {
  /** @param address an IP address in any spelling that `net.isIP` accepts. @param port of a connection to it. */
  allows(address: string, port?: number): boolean;
  /** Anybody can have such an address: it needs no permission. */
  isPublic(address: string): boolean;
}

/**
 * @param allow CIDR ranges that are let through all the same.
 * @param own ports of this machine that nothing is let through to: our own database listens there.
 * @throws for a range that is none.
 */
export function addressPolicy(allow: readonly string[], own: readonly number[] = []): AddressPolicy {
  const forbidden = blockList([...forbidden4, ...forbidden6]);
  const allowed = blockList(allow);
  const machine = blockList(thisMachine);
  const check = (list: net.BlockList, address: string) =>
    list.check(address, net.isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return {
    allows(address, port) {
      if (net.isIP(address) === 0) return false;
      const bare = withoutZone(address);
      const [first, ...more] = embedded4(bare);
      // An IPv6 address that carries an IPv4 one is judged as both: the way there may unwrap it.
      const inner = first === undefined ? [bare] : [first, ...more];
      if (port !== undefined && own.includes(port) && [bare, ...inner].some((one) => check(machine, one))) {
        return false;
      }
      return check(allowed, bare) || inner.every((one) => check(allowed, one) || !check(forbidden, one));
    },
    isPublic(address) {
      if (net.isIP(address) === 0) return false;
      const bare = withoutZone(address);
      return [bare, ...embedded4(bare)].every((one) => !check(forbidden, one));
    },
  };
}

const withoutZone = (address: string) => address.replace(/%.*$/, '');

/**
 * The IPv4 address inside an IPv4-mapped, IPv4-compatible, SIIT (::ffff:0:0:0/96), ISATAP, NAT64 (64:ff9b::/96,
 * 64:ff9b:1::/48), 6to4 (2002::/16) or Teredo (2001::/32, stored inverted) address. Several where one may be meant.
 */
function embedded4(address: string): string[] {
  if (net.isIP(address) !== 6) return [];
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0, w6 = 0, w7 = 0] = wordsOf(address);
  const tail = dotted(w6, w7);
  const zeros = w0 === 0 && w1 === 0 && w2 === 0 && w3 === 0;
  if (zeros && w4 === 0 && w5 === 0xffff) return [tail];
  if (zeros && w4 === 0xffff && w5 === 0) return [tail];
  if (zeros && w4 === 0 && w5 === 0 && (w6 !== 0 || w7 > 1)) return [tail];
  if ((w4 & 0xfdff) === 0 && w5 === 0x5efe) return [tail, address];
  // The shorter prefix has it around the eight bits in the middle (RFC 6052, 2.2).
  if (w0 === 0x64 && w1 === 0xff9b && w2 === 1) {
    return [tail, dotted(w3, ((w4 & 0xff) << 8) | (w5 >> 8))];
  }
  if (w0 === 0x64 && w1 === 0xff9b) return [tail];
  if (w0 === 0x2002) return [dotted(w1, w2)];
  if (w0 === 0x2001 && w1 === 0) return [dotted(w6 ^ 0xffff, w7 ^ 0xffff)];
  return [];
}

/** The eight 16-bit words of an IPv6 address. */
function wordsOf(address: string): number[] {
  // A dotted tail is two words.
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const word = (high: string, low: string) => ((Number(high) << 8) | Number(low)).toString(16);
    return `${word(a, b)}:${word(c, d)}`;
  });
  const [head = '', tail] = hex.split('::');
  const parse = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  if (tail === undefined) return parse(head);
  const [before, after] = [parse(head), parse(tail)];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

function blockList(ranges: readonly string[]): net.BlockList {
  const list = new net.BlockList();
  for (const range of ranges) {
    const { address, prefix, family } = parseCidr(range);
    list.addSubnet(address, prefix, family);
  }
  return list;
}
