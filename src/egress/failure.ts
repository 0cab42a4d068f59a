import { messageOf } from '../errors.ts';
import { EgressError, type EgressFailure } from './contract.ts';
import { tlsFault } from './tls-fault.ts';

/** Why no response arrived, or not all of it. */
export function toEgressError(error: unknown): EgressError {
  if (error instanceof EgressError) return error;
  const fault = tlsFault(error);
  if (fault !== undefined) return new EgressError('tls', fault, { cause: error });
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [failure, words] = describe(code, messageOf(error));
  return new EgressError(failure, `${words} (${messageOf(error)})`, { cause: error });
}

function describe(code: string, message: string): [EgressFailure, string] {
  if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EACCES)$/.test(code)) {
    return ['connect', 'the connection was refused or the host cannot be reached'];
  }
  if (/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/.test(code)) return ['timeout', 'the connection took too long'];
  if (/^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(code)) return ['timeout', 'nothing came for too long'];
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return ['reset', 'the response has too many headers'];
  // It may be restarting: no fault of the address.
  if (/before secure TLS connection/.test(message)) {
    return ['reset', 'the server closed the connection during the TLS handshake'];
  }
  return ['reset', 'the connection broke before the response was complete'];
}
