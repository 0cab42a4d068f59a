import { BatchRefused } from '../contract.ts';

/** Characters of what an endpoint says that are kept. */
const keptAtMost = 500;

/**
 * What an endpoint says of single records of a request: `{"errors": [{"index": 3, "message": "no such country"}]}`, by
 * place in it from 0. Any other answer says nothing of them.
 *
 * @throws BatchRefused when it begins so and cannot be read, e.g. since it is too long: of less it will say less.
 */
export function recordErrors(body: Buffer, count: number): Map<number, string> {
  const text = body.toString('utf8');
  const found = new Map<number, string>();
  if (!/^\s*\{/.test(text) || !text.includes('"errors"')) return found;
  for (const error of errorsOf(text)) {
    const { index, message } = (error ?? {}) as { index?: unknown; message?: unknown };
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count) continue;
    const said = typeof message === 'string' && message !== '' ? `: ${message.slice(0, keptAtMost)}` : '';
    found.set(index, `the webhook did not take the record${said}`);
  }
  return found;
}

function errorsOf(text: string): unknown[] {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown };
    return Array.isArray(errors) ? errors : [];
  } catch {
    throw new BatchRefused('the webhook answered with errors that cannot be read as JSON, or are too long');
  }
}
