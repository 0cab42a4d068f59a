import { TidemarkError } from '../errors.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';

/** Parts of a request that would be stored and then ignored are refused until they do something. */
export function refuseWhatIsNotBuilt(request: ModelSyncRequest): void {
  const { identity } = request;
  const asked: Record<string, unknown> = {
    policies: request.policies,
    'identity.remote_field_type_id': identity?.remote_field_type_id,
  };
  for (const [name, value] of Object.entries(asked)) if (!isEmpty(value)) throw notBuilt(name);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function notBuilt(what: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason: `${what} is not built yet` });
}
