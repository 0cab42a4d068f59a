import type { BulkColumn, Field } from './contract.ts';

/** Names of PostgreSQL's own types as `format_type` writes them: those that a column of any target can be made of. */
const known = new RegExp(
  `^(${[
    'smallint|integer|bigint|oid|numeric|real|double precision|money|boolean|text|character varying|character|bytea',
    'bit|bit varying|date|interval|uuid|json|jsonb|xml|inet|cidr|macaddr|macaddr8',
    '(?:int4|int8|num|ts|tstz|date)range|(?:time|timestamp)(?:\\(\\d\\))? with(?:out)? time zone',
  ].join('|')})(\\(\\d+(,-?\\d+)?\\))?(\\[\\])*$`,
);

/** Of fields whose own types say nothing here. */
const byType: Record<Field['type'], string> = {
  unknown: 'text',
  string: 'text',
  number: 'numeric',
  boolean: 'boolean',
  datetime: 'timestamp with time zone',
  array: 'text',
  // Whose text is no JSON: what is, says so.
  object: 'text',
  binary: 'bytea',
};

/** A column for the values of a field. @param field undefined for what is text in any case. */
export function newColumn(name: string, field: Field | undefined): BulkColumn {
  return { name, outputName: name, type: field === undefined ? 'text' : carrierOf(field), nullable: true };
}

function carrierOf({ carrier, remoteType, type }: Field): string {
  return [carrier, remoteType].find((one) => one !== undefined && known.test(one)) ?? byType[type];
}
