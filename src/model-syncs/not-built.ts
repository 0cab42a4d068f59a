import { TidemarkError } from '../errors.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';

/** Parts of a request that would be stored and then ignored are refused until they do something. */
export function refuseWhatIsNotBuilt(request: ModelSyncRequest): void {
  const { identity, target } = request;
  const asked: Record<string, unknown> = {
    policies: request.policies,
    'identity.new_field': identity?.new_field,
    'identity.remote_field_type_id': identity?.remote_field_type_id,
    'target.create': target.create,
    'target.new_name': target.new_name,
  };
  for (const [index, field] of request.fields.entries()) {
    asked[`fields.${index}.new`] = field.new;
  }
  for (const [name, value] of Object.entries(asked)) if (!isEmpty(value)) throw notBuilt(name);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function notBuilt(what: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason: `${what} is not built yet` });
}
