export { createEgress } from './client.ts';
export { type Egress, EgressError, type EgressStream, type Timing } from './contract.ts';
export { toEgressError } from './failure.ts';
export { noEgress } from './no-egress.ts';
