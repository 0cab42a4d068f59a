import type { Database, Transaction } from '../db/index.ts';
import { invalidField, TidemarkError } from '../errors.ts';
import { fieldId, getModel } from '../models/index.ts';
import type { StartModelSyncRequest } from '../schema/model-sync.ts';
import type { ModelSync } from './model-sync.ts';
import { sourceOf } from './synced-models.ts';

/**
 * The identities that an execution is to be restricted to, in either form of the request. Undefined for all: an empty
 * list says nothing, so it is refused rather than taken for everything.
 *
 * @throws invalid_field
 */
export async function askedIdentities(
  db: Database | Transaction,
  sync: ModelSync,
  { identities, source_identities: records }: StartModelSyncRequest,
): Promise<string[] | undefined> {
  if (identities == null && records == null) return undefined;
  if (identities != null && records != null) {
    throw invalidField('source_identities', 'says the same as identities: send one of them');
  }
  const place = records == null ? 'identities' : 'source_identities';
  if ((identities ?? records)?.length === 0) {
    throw invalidField(place, 'is empty: leave it out to sync every record');
  }
  if (sync.mode === 'replace') {
    const reason = 'mode replace takes the whole model, or it would delete all other records';
    throw new TidemarkError('bad_request', { reason: `${place}: ${reason}` });
  }
  const field = sync.identity?.field ?? (await getModel(db, sync.organizationId, sync.modelId)).identifier;
  if (field === null) {
    const reason = `${place}: neither the sync has an identity nor its model an identifier`;
    throw new TidemarkError('bad_request', { reason });
  }
  return identities ?? (records ?? []).map((record, index) => identityOf(sync, field, record, index));
}

type AskedRecord = NonNullable<StartModelSyncRequest['source_identities']>[number];

function identityOf(sync: ModelSync, field: string, record: AskedRecord, index: number): string {
  const place = `source_identities.${index}`;
  const [part, ...others] = [record].flat();
  if (part === undefined || others.length > 0) {
    throw invalidField(place, 'is one source and value: the sync is identified by one field');
  }
  const { source, value } = part;
  const identity = sourceOf(sync.modelId, field);
  const sameModel = source.model_id.toLowerCase() === identity.model_id;
  const names = [identity.field, fieldId(identity.model_id, identity.field)];
  if (sameModel && names.includes(source.field)) return value;
  const reason = `is not what identifies a record of this sync, which is ${identity.field} of model ${identity.model_id}`;
  throw invalidField(`${place}.source`, reason);
}
