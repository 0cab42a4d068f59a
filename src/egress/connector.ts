import dns from 'node:dns';
import net from 'node:net';
import { buildConnector } from 'undici';
import type { AddressPolicy } from './addresses.ts';
import { EgressError } from './contract.ts';
import { noteConnection } from './timing.ts';

/** Resolves a name to every address it has. A parameter, so that a test can answer differently each time. */
export type Resolve = (hostname: string) => Promise<readonly { address: string; family: number }[]>;

export const systemResolve: Resolve = (hostname) => dns.promises.lookup(hostname, { all: true });

/**
 * A connector that dials only addresses the policy allows. A literal address never reaches a lookup function,
 * so it is checked here; a name is resolved once, every answer is checked, and the socket gets that very
 * answer: nothing is left to resolve differently between check and connect. A name that has both allowed and
 * forbidden addresses is refused whole.
 */
export function guardedConnector(policy: AddressPolicy, resolve: Resolve): buildConnector.connector {
  const connect = buildConnector({ timeout: 10_000, autoSelectFamily: false });
  return (options, callback) => {
    const hostname = options.hostname.replace(/^\[|\]$/g, '');
    const started = performance.now();
    permittedAddress(hostname, policy, resolve).then(
      (address) => {
        const servername = options.servername || (net.isIP(hostname) === 0 ? hostname : '');
        const resolved = performance.now();
        // undici's types hide that a connector returns its socket, and nothing else tells TCP from TLS.
        const dialed = connect({ ...options, hostname: address, servername }, (...result) => {
          const [error, socket] = result;
          // Belt and braces: what counts is where the socket ended up.
          if (error === null && !policy.allows(socket.remoteAddress ?? '')) {
            socket.destroy();
            callback(refusal(hostname), null);
          } else {
            if (error === null) noteConnection(socket, { started, resolved, connected });
            callback(...result);
          }
        }) as unknown as net.Socket | undefined;
        let connected = resolved;
        dialed?.once('connect', () => {
          connected = performance.now();
        });
      },
      (error: Error) => callback(error, null),
    );
  };
}

async function permittedAddress(hostname: string, policy: AddressPolicy, resolve: Resolve): Promise<string> {
  if (net.isIP(hostname) !== 0) {
    if (policy.allows(hostname)) return hostname;
    throw refusal(hostname);
  }
  const answers = await resolve(hostname).catch((cause: unknown) => {
    throw new EgressError('dns', `the name ${hostname} does not resolve`, { cause });
  });
  const first = answers[0];
  if (first === undefined) throw new EgressError('dns', `the name ${hostname} has no address`);
  if (!answers.every(({ address }) => policy.allows(address))) throw refusal(hostname);
  return first.address;
}

function refusal(hostname: string): EgressError {
  return new EgressError(
    'refused_address',
    `${hostname} is or resolves to a private, loopback, link-local or reserved address; the operator can allow it with TIDEMARK_EGRESS_ALLOW`,
  );
}
