const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})?$/;

/**
 * Whether a text is a timestamp of RFC 3339, at any precision; without an offset it is read as UTC. The text
 * itself goes on to PostgreSQL, since a JavaScript Date would cut it to milliseconds.
 */
export function isTimestamp(text: string): boolean {
  return rfc3339.test(text) && !Number.isNaN(Date.parse(text.replace(' ', 'T')));
}
