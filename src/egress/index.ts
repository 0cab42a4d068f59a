export { createEgress } from './client.ts';
export { type Egress, EgressError } from './contract.ts';
