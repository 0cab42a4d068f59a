import type { Field } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { FieldType } from '../schema/field-type.ts';

/** A field that a user declared: a place in a JSON document. */
export interface DeclaredField {
  name: string;
  label: string;
  type: FieldType;
  example: string | null;
  path: string[];
}

/** How values of a type travel. */
const remoteTypes: Partial<Record<FieldType, string>> = {
  string: 'text',
  number: 'numeric',
  boolean: 'boolean',
  datetime: 'timestamp with time zone',
  array: 'json',
  object: 'json',
};

/** @param member of the request. @throws invalid_field */
export function declaredType(type: string, member: string): FieldType {
  if (isCarried(type)) return type;
  const reason = `${JSON.stringify(type)} is none of ${Object.keys(remoteTypes).join(', ')}`;
  throw new TidemarkError('invalid_field', { field: member, reason });
}

function isCarried(type: string): type is FieldType {
  return Object.hasOwn(remoteTypes, type);
}

export function declaredFieldOf({ name, type }: DeclaredField): Field {
  return { name, type, remoteType: remoteTypes[type] ?? 'text', nullable: true };
}
