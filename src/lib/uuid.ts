const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Ids in paths may be anything: what is no UUID is unknown, and must not reach a uuid column. */
export function isUuid(text: string): boolean {
  return pattern.test(text);
}
