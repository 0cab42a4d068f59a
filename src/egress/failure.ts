import { messageOf } from '../errors.ts';
import { EgressError, type EgressFailure } from './contract.ts';

/** Why no response arrived, or not all of it. */
export function toEgressError(error: unknown): EgressError {
  if (error instanceof EgressError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [failure, words] = describe(code);
  // Node adds a command-line hint that is not for whom this is shown to.
  const detail = messageOf(error).replace(/; if the root CA is installed locally.*$/, '');
  return new EgressError(failure, `${words} (${detail})`, { cause: error });
}

function describe(code: string): [EgressFailure, string] {
  if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EACCES)$/.test(code)) {
    return ['connect', 'the connection was refused or the host cannot be reached'];
  }
  if (/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/.test(code)) return ['timeout', 'the connection took too long'];
  if (/^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(code)) return ['timeout', 'nothing came for too long'];
  if (/^(ENOTFOUND|EAI_)/.test(code)) return ['dns', 'the name does not resolve'];
  if (/^(DEPTH_ZERO_)?SELF_SIGNED_CERT|^UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code)) {
    return [
      'tls',
      'nobody who is trusted vouches for the certificate; the operator can name its authority with NODE_EXTRA_CA_CERTS',
    ];
  }
  if (/(CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO)/.test(code)) return ['tls', 'the TLS handshake failed'];
  return ['reset', 'the connection broke before the response was complete'];
}
