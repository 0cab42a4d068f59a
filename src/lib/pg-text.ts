/** What is needed to know how a value's text reads. `type` is the wire's field type. */
export interface TextType {
  type: string;
  /** The PostgreSQL type, e.g. `numeric(20,4)[]`. */
  remoteType: string;
}

const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
/** Types whose text is JSON, here and in DuckDB. */
const carriedAsJson = /^(jsonb?$|(struct|map|union)\()/i;
/** What is no array of PostgreSQL's, with bounds in front: a list of lists, or a list in JSON. */
const jsonArray = /^\[(?!-?\d+:)/;
const timestamp = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?:([+-]\d\d)(?::?(\d\d))?(?::(\d\d))?)?$/;

/** Whether the text of a value is JSON. */
export function isCarriedAsJson({ type, remoteType }: TextType): boolean {
  return type === 'object' && carriedAsJson.test(remoteType);
}

/** A record as a JSON object. */
export function recordJson(
  fields: readonly (TextType & { name: string })[],
  values: readonly (string | null)[],
): string {
  const members = fields.map(
    (field, index) => `${JSON.stringify(field.name)}:${jsonText(values[index] ?? null, field)}`,
  );
  return `{${members.join(',')}}`;
}

/**
 * A value in PostgreSQL's output format as JSON text. Nothing is rounded: numbers and json keep their digits,
 * which is why this makes text and not JavaScript values. What JSON has no form for (NaN, infinity, BC dates)
 * becomes a string.
 */
export function jsonText(text: string | null, type: TextType): string {
  if (text === null) return 'null';
  switch (type.type) {
    case 'number':
      return jsonNumber.test(text) ? text : JSON.stringify(text);
    case 'boolean':
      return text === 't' ? 'true' : text === 'f' ? 'false' : JSON.stringify(text);
    case 'datetime':
      return JSON.stringify(toRfc3339(text));
    case 'object':
      return isCarriedAsJson(type) ? text : JSON.stringify(text);
    case 'array':
      if (jsonArray.test(text)) return text;
      return type.remoteType.endsWith('[]') && /^[[{]/.test(text)
        ? arrayToJson(elementType(type.remoteType), text)
        : JSON.stringify(text);
    default:
      return JSON.stringify(text);
  }
}

/** A timestamp without a zone stays without one: to add one would be to change it. */
function toRfc3339(text: string): string {
  const match = timestamp.exec(text);
  if (match === null) return text;
  const [, date, time, hours, minutes = '00', seconds] = match;
  // Offsets with seconds are those of times before standard time; RFC 3339 cannot say them.
  if (seconds !== undefined) return text;
  const zone = hours === undefined ? '' : hours === '+00' && minutes === '00' ? 'Z' : `${hours}:${minutes}`;
  return `${date}T${time}${zone}`;
}

export interface ElementType extends TextType {
  type: 'number' | 'boolean' | 'object' | 'datetime' | 'string';
}

/** What an array of this type consists of; knows the names of PostgreSQL and of others. */
export function elementType(remoteType: string): ElementType {
  const base = remoteType.replace(/(\[\d*\])+$/, '').toLowerCase();
  if (/^(u?(tiny|small|medium|big|huge)?int|integer|numeric|decimal|real|float|double|oid)\b/.test(base)) {
    return { type: 'number', remoteType: base };
  }
  if (base === 'boolean') return { type: 'boolean', remoteType: base };
  if (/^jsonb?$/.test(base)) return { type: 'object', remoteType: base };
  if (/^(date|timestamp)/.test(base)) return { type: 'datetime', remoteType: base };
  return { type: 'string', remoteType: base };
}

/** `{1,NULL,{"a\"b"}}`, with bounds in front (`[0:2]=`) that JSON has no place for. */
function arrayToJson(element: TextType, text: string): string {
  const token = /[{},]|"((?:[^"\\]|\\.)*)"|[^{},"]+/gs;
  token.lastIndex = text.indexOf('{');
  let json = '';
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [plain, quoted] = match;
    if (quoted !== undefined) json += jsonText(quoted.replaceAll(/\\(.)/gs, '$1'), element);
    else if (plain === '{') json += '[';
    else if (plain === '}') json += ']';
    else if (plain === ',') json += ',';
    else json += plain.toUpperCase() === 'NULL' ? 'null' : jsonText(plain, element);
  }
  return json;
}
