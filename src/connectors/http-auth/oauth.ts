import type { Egress } from '../../egress/index.ts';
import { TidemarkError } from '../../errors.ts';
import { Busy, ConnectionLost } from '../contract.ts';
import { passing } from '../passing-answer.ts';
import { basicAuthorization } from './authorize.ts';
import type { HttpAuth } from './configuration.ts';

type OAuth = NonNullable<HttpAuth['oauth']>;

/** Milliseconds for the token request. */
const deadline = 30_000;

/**
 * A token by the client credentials grant (RFC 6749, 4.4).
 *
 * @throws unprocessable when it is not given; Busy, ConnectionLost or an EgressError when it may be later.
 */
export async function fetchToken(oauth: OAuth, egress: Egress, signal?: AbortSignal): Promise<string> {
  const { client_id: id = '', client_secret: secret = '', scopes, extra_form_data: extra } = oauth;
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scopes?.length) form.set('scope', scopes.join(' '));
  for (const { name, value } of extra ?? []) if (name) form.append(name, value ?? '');
  const headers: Record<string, string> = {
    'Content-Type': 'application/x-www-form-urlencoded',
    Accept: 'application/json',
  };
  if (oauth.auth_style === 1) {
    form.set('client_id', id);
    form.set('client_secret', secret);
  } else {
    const [username, password] = [encodeURIComponent(id), encodeURIComponent(secret)];
    headers.Authorization = basicAuthorization({ username, password });
  }
  const {
    status,
    headers: told,
    body,
  } = await egress.request({
    url: oauth.token_endpoint ?? '',
    method: 'POST',
    headers,
    body: form.toString(),
    deadline,
    ...(signal === undefined ? {} : { signal }),
  });
  const token = status === 200 ? accessToken(body.toString('utf8')) : undefined;
  if (token !== undefined) return token;
  const reason = `the token endpoint answered ${status} without an access token`;
  const later = passing({ status, headers: told });
  if (later !== undefined) throw later.busy ? new Busy(reason, later.pause) : new ConnectionLost(reason);
  throw new TidemarkError('unprocessable', { reason: `oauth: ${reason}` });
}

function accessToken(body: string): string | undefined {
  try {
    const { access_token: token } = JSON.parse(body) as { access_token?: unknown };
    return typeof token === 'string' && token !== '' ? token : undefined;
  } catch {
    return undefined;
  }
}
