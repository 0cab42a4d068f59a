import { refuse } from './bulk-names.ts';

/** A type's name as `format_type` writes it: words of PostgreSQL's grammar or a plain name, modifiers, and an array at most. */
const declared = new RegExp(
  `^(?:${[
    '"char"|[a-z][a-z0-9_]*|double precision|character varying|bit varying',
    'interval(?: (?:year|month|day|hour|minute|second)(?: to (?:month|hour|minute|second))?)?',
  ].join('|')})(?:\\(\\d+(?:,-?\\d+)?\\))?(?: with(?:out)? time zone)?(?:\\[\\])?$`,
);

/**
 * A type that another server has named, to stand in a statement. That server may be anybody's: what is no type's name would be
 * run here with our rights.
 */
export function declaredType(column: string, type: string): string {
  if (!declared.test(type)) refuse(`Column ${column} has a type that is none: ${type}`);
  return type;
}
