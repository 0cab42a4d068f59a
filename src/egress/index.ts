export { createEgress } from './client.ts';
export {
  type Egress,
  EgressError,
  type EgressFailure,
  type EgressRequest,
  type EgressResponse,
} from './contract.ts';
