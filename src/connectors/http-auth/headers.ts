export type Headers = Record<string, string>;

/** In place of one of the same name, which another case does not make another one: two would be sent. */
export function setHeader(headers: Headers, name: string, value: string): void {
  const known = spelled(headers, name);
  if (known !== undefined) delete headers[known];
  headers[name] = value;
}

/** How a header is spelled that is there. */
export function spelled(headers: Headers, name: string): string | undefined {
  return Object.keys(headers).find((known) => known.toLowerCase() === name.toLowerCase());
}
