/** Encodings of one byte per character, by PostgreSQL's names, that Node knows. */
const labels: Readonly<Record<string, string>> = {
  LATIN1: 'iso-8859-1',
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN5: 'iso-8859-9',
  LATIN6: 'iso-8859-10',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  WIN866: 'ibm866',
  WIN874: 'windows-874',
  WIN1250: 'windows-1250',
  WIN1251: 'windows-1251',
  WIN1252: 'windows-1252',
  WIN1253: 'windows-1253',
  WIN1254: 'windows-1254',
  WIN1255: 'windows-1255',
  WIN1256: 'windows-1256',
  WIN1257: 'windows-1257',
  WIN1258: 'windows-1258',
};

/** Code points that the server has a character for, beyond ASCII; undefined where it has all, or Node does not know. */
export function knownCharacters(encoding: string): ReadonlySet<number> | undefined {
  const label = labels[encoding];
  if (label === undefined) return undefined;
  const decoder = new TextDecoder(label);
  const known = new Set<number>();
  for (let byte = 0x80; byte < 0x100; byte++) {
    const point = decoder.decode(Uint8Array.of(byte)).codePointAt(0) ?? 0;
    // What the web calls ISO 8859-1 and -9 are Windows' encodings, which have letters where ISO has control characters.
    if (encoding === 'LATIN1') known.add(byte);
    else if (encoding.startsWith('LATIN') && byte < 0xa0) known.add(byte);
    // Windows' encodings do not define every byte; Node makes control characters of those.
    else if (point > 0x9f && point !== 0xfffd) known.add(point);
  }
  return known;
}
