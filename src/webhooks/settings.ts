import { mask } from '../connections/index.ts';
import { TidemarkError } from '../errors.ts';
import { limits } from '../limits.ts';

/** Characters, of a URL as of a secret. */
const { most: longest } = limits.texts.url;

/** @throws unprocessable, naming the field and what it takes. @returns the URL as it was given. */
export function checkEndpoint(endpoint: string): string {
  refuseControls('endpoint', endpoint);
  if (!URL.canParse(endpoint)) {
    throw invalid('endpoint', `${JSON.stringify(shorten(endpoint))} is not an http:// or https:// URL`);
  }
  const url = new URL(endpoint);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid('endpoint', `${url.protocol}// is not http:// or https://`);
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('endpoint', 'must not carry a user name or password; verify the signature instead');
  }
  return endpoint;
}

/** @throws unprocessable, naming the field and what it takes; never repeats the secret. */
export function checkSecret(secret: string): string {
  refuseControls('secret', secret);
  if (secret === '') throw invalid('secret', 'must not be empty');
  if (secret === mask)
    throw invalid('secret', 'is the mask that stands for a secret; send the secret itself');
  if (secret.startsWith('whsec_')) {
    const key = secret.slice('whsec_'.length);
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key) || Buffer.from(key, 'base64').length < 16) {
      throw invalid('secret', 'whsec_ must be followed by at least 16 bytes in base64');
    }
  }
  return secret;
}

function refuseControls(field: string, value: string): void {
  if (value.length > longest) {
    throw invalid(field, `must not be longer than ${longest} characters (it has ${value.length})`);
  }
  // A URL parser drops newlines and tabs without a word: what is stored would not be what is used.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(value)) throw invalid(field, 'must not contain control characters');
  if (!value.isWellFormed()) throw invalid(field, 'is not well-formed Unicode');
  if (value !== value.trim()) throw invalid(field, 'must not begin or end with white space');
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function invalid(field: string, reason: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason: `${field}: ${reason}` });
}
