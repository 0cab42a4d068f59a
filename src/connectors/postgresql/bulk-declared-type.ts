import { isKnownType } from '../../lib/sql-quoting.ts';
import { refuse } from './bulk-names.ts';

/**
 * A type that another server has named, to stand in a statement. That server may be anybody's: what is none of the types that
 * are known would be run here with our rights.
 */
export function declaredType(column: string, type: string): string {
  if (!isKnownType(type)) refuse(`Column ${column} has a type that is none: ${type}`);
  return type;
}
