export { createEgress } from './client.ts';
export { type Egress, EgressError, type Timing } from './contract.ts';
