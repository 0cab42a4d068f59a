import { TidemarkError } from '../errors.ts';

/**
 * Texts that no request or session could be made with, whatever the connector: each would only be found when something
 * is sent, as a connection that breaks. Certificates and keys have lines, and no others do.
 *
 * @throws unprocessable, naming the key. The text itself may be a secret.
 */
export function checkTexts(value: unknown, path = 'configuration', within = ''): void {
  if (typeof value === 'string') {
    const reason = faultOf(value, within);
    if (reason !== undefined) throw new TidemarkError('unprocessable', { reason: `${path}: ${reason}` });
  } else if (Array.isArray(value)) {
    for (const [index, one] of value.entries()) checkTexts(one, `${path}.${index}`, within);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, one] of Object.entries(value)) {
      checkTexts(one, `${path}.${key}`, /^headers?$/.test(within) ? `${within}.${key}` : key);
    }
  }
}

/** RFC 9110: what a header's name is made of. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function faultOf(text: string, key: string): string | undefined {
  if (text.includes('\0')) return 'holds a NUL character';
  const isBlock = /^\s*(-----BEGIN |\{|\[)/.test(text);
  if (/^[\r\n]|[\r\n]$/.test(text) && !isBlock) return 'begins or ends with a line break: leave it out';
  if (/^headers?\.name$/.test(key) && text !== '' && !token.test(text)) {
    return 'is no name of a header: it takes letters, digits and - without spaces';
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no header may hold
  if (/^headers?\.value$/.test(key) && /[\x00-\x08\x0a-\x1f\x7f]/.test(text)) {
    return 'holds a line break or another character that no header may hold';
  }
  if (/^https?:\/\/[^/?#]*@/i.test(text)) {
    return 'holds a user name or password: give them under the authentication';
  }
  return /^https?:\/\//i.test(text) &&
    /^(url|healthcheck|endpoint|token_endpoint)$/.test(key) &&
    /\s/.test(text.replaceAll(/\{\{[^}]*\}\}/g, ''))
    ? 'holds white space, which no URL does'
    : undefined;
}
