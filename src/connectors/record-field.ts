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

/** Of a table with a single column nothing of this is true. */
export function takesRecords(fields: readonly TargetField[]): boolean {
  return fields[0] === recordField;
}
