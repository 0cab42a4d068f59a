import { isDeepStrictEqual } from 'node:util';
import { unprocessable } from '../errors.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';

type IdentityRequest = NonNullable<ModelSyncRequest['identity']>;
type Request = Pick<ModelSyncRequest, 'identity' | 'identities'>;

/**
 * The identity of a request of either form: `identity`, and since 25.9.10 `identities` with a list of mappings. Clients
 * may send both back as they were answered, so they have to say the same.
 *
 * @throws unprocessable
 */
export function requestedIdentity({ identity, identities }: Request): IdentityRequest | null {
  if (identities == null) return identity ?? null;
  const [first = null, second] = identities.mappings;
  if (second !== undefined) {
    const reason =
      'a sync is identified by one field: map one, and make a field of several in the query of the model';
    throw unprocessable('identities.mappings.1', reason);
  }
  if (identity != null && !isDeepStrictEqual(meaningOf(identity), meaningOf(first))) {
    throw unprocessable('identity', 'says something else than identities: send one of them');
  }
  return first;
}

/** Where the identity stands in a request, to be named in errors. */
export function identityPlace({ identities }: Request): string {
  return identities == null ? 'identity' : 'identities.mappings.0';
}

function meaningOf(identity: IdentityRequest | null) {
  if (identity === null) return null;
  const { source, target, function: name } = identity;
  return { model: source.model_id.toLowerCase(), field: source.field, target, function: name };
}
