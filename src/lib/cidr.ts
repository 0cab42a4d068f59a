import net from 'node:net';

export interface Cidr {
  address: string;
  prefix: number;
  family: 'ipv4' | 'ipv6';
}

/** @param text such as 10.0.0.0/8, fd00::/8, or a single address. @throws when it is none of these. */
export function parseCidr(text: string): Cidr {
  const [address = '', bits] = text.split('/');
  const version = net.isIP(address);
  const longest = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? longest : Number(bits);
  if (version === 0 || bits === '' || !Number.isInteger(prefix) || prefix < 0 || prefix > longest) {
    throw new Error(`${text} is not a CIDR range such as 10.0.0.0/8 or fd00::/8`);
  }
  return { address, prefix, family: version === 6 ? 'ipv6' : 'ipv4' };
}
