/**
 * Text from elsewhere for a terminal: names and errors may hold line breaks that forge lines and escapes that move the
 * cursor, write titles or hide what was printed. Each such character is shown as its code.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** The same where lines are meant, as in the text of an error. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON for a terminal: what it leaves as it is and a terminal obeys is escaped, which changes no value. */
export function printableJson(json: string): string {
  return json.replaceAll(unprintable, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Controls, line breaks of Unicode, and what turns the direction of writing. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
