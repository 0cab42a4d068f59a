import { invalidField, type TidemarkError } from '../errors.ts';
import type { TargetDefinition } from './contract.ts';

/** @throws invalid_field when the mode looks records up and there is nothing to do so by. */
export function needIdentity({ identity, mode }: TargetDefinition): void {
  if (identity !== undefined || !/^(update|updateOrCreate|remove)$/.test(mode)) return;
  throw invalidField('identity', `is needed in mode ${mode}`);
}

export function noColumn(table: string, id: string): TidemarkError {
  return invalidField(`fields.${id}`, `${table} has no such column`);
}
