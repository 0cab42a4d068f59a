import type { Values } from './plan.ts';
import type { Resource } from './resource.ts';

/** What the resources need that stays. */
export interface World {
  organization: string;
  otherOrganization: string;
  shop: string;
  warehouse: string;
  webhook: string;
  customers: string;
  modelSync: string;
  bulkSync: string;
  postgresql: Values;
}

/** A resource through the configurations that its owner gives it one after another. */
export interface Case {
  name: string;
  resource: Resource;
  /** With the partner's key, bare or in an organization. */
  partner?: true | { in: string };
  first: Values;
  /** What is changed, and the attributes of the state that change with it, no others. */
  updates: { change: Values; changes: string[] }[];
}
