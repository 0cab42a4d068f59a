import { messageOf } from '../errors.ts';

/** What the drivers say of a server that offers no TLS: pg, then mysql2. */
const offersNone = /does not support (SSL|secure) connection/i;

/**
 * Opens connections with or without TLS as it was asked for. Where nothing was said, TLS is used if the server offers
 * it, as PostgreSQL's own clients do (sslmode=prefer): whoever can change what is on the way can then have it left out,
 * so it is no more than a default. Only the server's word that it has none is one; a failed handshake stays a failure.
 *
 * @param proof a server that has to prove who it is, or wants proof, is never spoken to in the clear.
 */
export function preferringTls({ ssl, proof }: { ssl: boolean | undefined; proof: boolean }) {
  let plain = ssl === false;
  return async <Result>(open: (tls: boolean) => Promise<Result>): Promise<Result> => {
    if (plain) return await open(false);
    try {
      return await open(true);
    } catch (error) {
      if (ssl === true || proof || !offersNone.test(messageOf(error))) throw error;
      plain = true;
      return await open(false);
    }
  };
}
