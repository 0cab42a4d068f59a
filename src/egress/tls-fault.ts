import { messageOf } from '../errors.ts';

/** What TLS fails by, by the error's code, and what it means for whoever has named the address. */
const meanings: [code: RegExp, meaning: string][] = [
  [
    /^(DEPTH_ZERO_)?SELF_SIGNED_CERT|^UNABLE_TO_(VERIFY|GET_ISSUER)/,
    'nobody who is trusted vouches for the certificate; the operator can name its authority with NODE_EXTRA_CA_CERTS',
  ],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)/, 'the port does not speak TLS'],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, 'the server does not speak TLS 1.2 or 1.3'],
  [/CERTIFICATE_REQUIRED/, 'the server wants a client certificate, and Tidemark sends none'],
  [
    /HANDSHAKE_FAILURE/,
    'the server refused the TLS handshake: it may want a client certificate, or have no cipher in common',
  ],
  [/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|CRL|ISSUER|INVALID_CA|INVALID_PURPOSE/, 'the TLS handshake failed'],
];

/** In words, if a TLS handshake has failed. OpenSSL’s own text names places in its sources. */
export function tlsFault(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = messageOf(error);
  if (code.startsWith('UND_ERR_')) return undefined;
  const meaning = meanings.find(([pattern]) => pattern.test(code))?.[1];
  return meaning === undefined ? undefined : `${meaning} (${detailOf(message)})`;
}

function detailOf(message: string): string {
  // error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/openssl/…
  const [, reason] = /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/i.exec(message) ?? [];
  // Node adds a command-line hint that is not for whom this is shown to.
  return reason ?? message.replace(/; if the root CA is installed locally.*$/s, '');
}
