import type { Egress } from './contract.ts';

function refuse(): never {
  throw new Error('this process speaks to no system of a user: a process of its own has to');
}

/** For a process that must not reach what a user can name. Whatever tries is a fault of ours. */
export const noEgress: Egress = {
  request: async () => refuse(),
  stream: async () => refuse(),
  connect: async () => refuse(),
  of: () => noEgress,
  close: async () => {},
};
