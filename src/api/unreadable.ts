import type { Socket } from 'node:net';
import { TidemarkError } from '../errors.ts';
import { type Deadlines, seconds } from './deadlines.ts';
import { toApiError } from './errors.ts';
import { versionHeader } from './versions.ts';

/** Milliseconds that a client has for reading why its connection ends. */
const linger = 1000;

const phrases: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Answers what never becomes a request, and ends its connection. */
export function refuseUnreadable(deadlines: Deadlines, headLimit: number) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const shown = toApiError(meaningOf(error, deadlines, headLimit));
    const body = JSON.stringify(shown);
    const headers = {
      ...versionHeader,
      'content-type': 'application/json',
      'content-length': `${Buffer.byteLength(body)}`,
      connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${shown.status} ${phrases[shown.status]}\r\n${lines.join('')}\r\n${body}`);
    // One that goes on sending would keep the connection.
    setTimeout(() => socket.destroy(), linger).unref();
  };
}

function meaningOf(
  error: Error & { code?: string },
  { head, body }: Deadlines,
  limit: number,
): TidemarkError {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new TidemarkError('request_timeout', { head_seconds: seconds(head), seconds: seconds(body) });
    case 'HPE_HEADER_OVERFLOW':
      return new TidemarkError('head_too_large', { limit });
    default:
      return new TidemarkError('bad_request', { reason: error.message });
  }
}
