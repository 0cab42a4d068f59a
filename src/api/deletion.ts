import { bulkSyncsUsing, deleteBulkSync, getBulkSync } from '../bulk-syncs/index.ts';
import { deleteConnection, getConnection } from '../connections/index.ts';
import { type ErrorKey, TidemarkError, type Use } from '../errors.ts';
import { deleteModelSync, getModelSync, modelSyncsAfter, modelSyncsUsing } from '../model-syncs/index.ts';
import { deleteModel, getModel, modelsRelatedTo, modelsUsing, unrelate } from '../models/index.ts';
import { stopRunningAfter } from '../schedules/index.ts';
import type { ApiDependencies } from './dependencies.ts';

/**
 * Deleting what others need. Without `force` it is refused, and the error names who needs it. With it, what cannot be
 * without it goes first, ended if it runs; what can be stays, in a state that says what it has lost.
 *
 * Here, and not in the rooms: what is deleted lies below what needs it, and must not know it. From where it was found
 * on it has the id that is stored, not the one that was sent: documents are searched for its text.
 */
export function deletions(deps: ApiDependencies) {
  const { db } = deps;

  const bulkSync = async (organizationId: string, named: string, force: boolean) => {
    const sync = await getBulkSync(db, organizationId, named);
    const { id } = sync;
    refuseUsed('in_use', use('bulk_sync', sync), await modelSyncsAfter(db, organizationId, id), force);
    await deleteBulkSync(deps, organizationId, id);
    await stopRunningAfter(db, organizationId, use('bulk_sync', sync));
  };

  const modelSync = async (organizationId: string, named: string, force: boolean) => {
    const sync = await getModelSync(db, organizationId, named);
    const { id } = sync;
    refuseUsed('in_use', use('sync', sync), await modelSyncsAfter(db, organizationId, id), force);
    await deleteModelSync(deps, organizationId, id);
    await stopRunningAfter(db, organizationId, use('sync', sync));
  };

  const model = async (organizationId: string, named: string, force: boolean) => {
    const found = await getModel(db, organizationId, named);
    const { id } = found;
    const syncs = await modelSyncsUsing(db, organizationId, { modelIds: [id] });
    const related = await modelsRelatedTo(db, organizationId, id);
    refuseUsed('in_use', use('model', found), [...syncs, ...related], force);
    for (const sync of syncs) await modelSync(organizationId, sync.id, true);
    for (const one of related) await unrelate(db, organizationId, one.id, id);
    await deleteModel(db, organizationId, id);
  };

  const connection = async (organizationId: string, named: string, force: boolean) => {
    const found = await getConnection(db, organizationId, named);
    const { id } = found;
    const models = await modelsUsing(db, organizationId, id);
    const targeting = await modelSyncsUsing(db, organizationId, { connectionId: id });
    const bulks = await bulkSyncsUsing(db, organizationId, id);
    const users = [...models, ...targeting, ...bulks];
    refuseUsed('connection_in_use', use('connection', found), users, force);
    for (const sync of bulks) await bulkSync(organizationId, sync.id, true);
    for (const sync of targeting) await modelSync(organizationId, sync.id, true);
    for (const one of models) await model(organizationId, one.id, true);
    await deleteConnection(db, organizationId, id);
  };

  return { bulkSync, modelSync, model, connection };
}

const use = (type: string, { name, id }: { name: string; id: string }): Use => ({ type, name, id });

function refuseUsed(key: ErrorKey, { type, name, id }: Use, usedBy: Use[], force: boolean): void {
  // What is under way to be deleted needs nothing any more.
  const others = usedBy.filter((one) => one.id !== id);
  if (others.length === 0 || force) return;
  throw new TidemarkError(key, { type, name, id, used_by: others });
}
