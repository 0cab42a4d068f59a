/**
 * Where a value is in a JSON document: `.name`, `["any name"]` and `[0]`, one after the other. In a list, `.0` is
 * `[0]`.
 *
 * @returns undefined for text that is no such path.
 */
export function parseJsonPath(text: string): string[] | undefined {
  const step = /\.([^.[\]"]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  const path: string[] = [];
  while (step.lastIndex < text.length) {
    const match = step.exec(text);
    if (match === null) return undefined;
    const [, name, place, quoted = '""'] = match;
    if (!isJson(quoted)) return undefined;
    path.push(name ?? place ?? (JSON.parse(quoted) as string));
  }
  return path.length === 0 ? undefined : path;
}

/**
 * The text of the value at a path, as it stands in the document: numbers keep their digits. Nothing is built of what
 * is passed by, which makes this several times faster than a parser that keeps digits. Of repeated names the last counts.
 *
 * @param text a valid document.
 * @returns undefined where there is no such value.
 */
export function jsonAt(text: string, path: readonly string[]): string | undefined {
  let at: number | undefined = pastSpace(text, 0);
  for (const step of path) {
    at = text[at] === '{' ? member(text, at, step) : text[at] === '[' ? element(text, at, step) : undefined;
    if (at === undefined) return undefined;
  }
  return text.slice(at, pastValue(text, at));
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function member(text: string, object: number, name: string): number | undefined {
  let found: number | undefined;
  let at = pastSpace(text, object + 1);
  while (text[at] === '"') {
    const end = pastString(text, at);
    const key = text.slice(at + 1, end - 1);
    // The colon is between the two.
    const value = pastSpace(text, pastSpace(text, end) + 1);
    if (key === name || (key.includes('\\') && JSON.parse(`"${key}"`) === name)) found = value;
    at = pastSeparator(text, pastValue(text, value));
  }
  return found;
}

function element(text: string, list: number, place: string): number | undefined {
  if (!/^\d+$/.test(place)) return undefined;
  let at = pastSpace(text, list + 1);
  for (let skipped = 0; text[at] !== ']' && at < text.length; skipped++) {
    if (skipped === Number(place)) return at;
    at = pastSeparator(text, pastValue(text, at));
  }
  return undefined;
}

function pastSeparator(text: string, from: number): number {
  const at = pastSpace(text, from);
  return text[at] === ',' ? pastSpace(text, at + 1) : at;
}

function pastSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return at;
}

function pastString(text: string, quote: number): number {
  for (let at = text.indexOf('"', quote + 1); at > 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text[at - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
  return text.length;
}

function pastValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === '"') at = pastString(text, at);
    else if (character === '{' || character === '[') {
      depth++;
      at++;
    } else if (character === '}' || character === ']') {
      if (depth === 0) return at;
      depth--;
      at++;
    } else if (depth === 0 && (character === ',' || character <= ' ')) return at;
    else {
      at++;
      continue;
    }
    if (depth === 0) return at;
  }
  return at;
}
