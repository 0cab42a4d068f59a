import type { TargetField } from './contract.ts';

/** The one field of a target that takes whole records: every mapping ends here, and the model's fields name what is sent. */
export const recordField: TargetField = {
  id: 'record',
  name: 'Record',
  type: 'object',
  remoteType: 'object',
  nullable: true,
  required: false,
  createable: true,
  updateable: true,
  filterable: false,
  identityFunctions: ['Equality'],
};
