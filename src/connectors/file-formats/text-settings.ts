import { Type } from 'typebox';
import { TidemarkError } from '../../errors.ts';
import type { TextFile } from './text-file.ts';

/** What a configuration may say of CSV, by the connector's own names for it. Everything else is found out. */
export const textSettings = {
  delimiter: Type.String({
    title: 'Delimiter',
    description: 'Between two fields: one character, or tab. Default: found in the file.',
    examples: [',', ';', 'tab'],
  }),
  quote: Type.String({
    title: 'Quote',
    description: 'Around fields: one character, or none. Default: ".',
    examples: ["'", 'none'],
  }),
  escape: Type.String({
    title: 'Escape',
    description: 'Before a quote within a quoted field: one character. Default: the quote is doubled.',
    examples: ['\\'],
  }),
  encoding: Type.String({
    title: 'Encoding',
    description: 'As the Encoding standard names it. Default: UTF-8, or UTF-16 where the bytes show it.',
    examples: ['iso-8859-1', 'windows-1252', 'utf-16le'],
  }),
} as const;

export type TextSettings = Pick<TextFile, keyof typeof textSettings>;

/** @param given by the connector's own keys. @throws unprocessable for what is not one character, or unknown. */
export function readSettings(
  given: Record<keyof typeof textSettings, [key: string, value?: string]>,
): TextSettings {
  const character = ([key, value]: [key: string, value?: string], words: Record<string, string>) => {
    if (value === undefined || value === '') return undefined;
    const text = words[value] ?? value;
    // A byte of UTF-8, and none that ends rows.
    if (/^[\t -~]?$/.test(text)) return text;
    const known = Object.keys(words).map((word) => `, or ${word}`);
    throw wrong(key, `takes one ASCII character${known.join('')}`);
  };
  const [key, encoding] = given.encoding;
  if (encoding) {
    try {
      new TextDecoder(encoding);
    } catch {
      throw wrong(
        key,
        `${encoding} is not known; iso-8859-1, windows-1252 and utf-16le are examples of what is`,
      );
    }
  }
  return {
    delimiter: character(given.delimiter, { tab: '\t', '\\t': '\t' }),
    quote: character(given.quote, { none: '' }),
    escape: character(given.escape, {}),
    encoding: encoding || undefined,
  };
}

function wrong(key: string, reason: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason: `configuration.${key}: ${reason}` });
}
