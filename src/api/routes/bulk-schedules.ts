import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import {
  createBulkSchedule,
  deleteBulkSchedule,
  getBulkSchedule,
  getBulkSync,
  listBulkSchedules,
  updateBulkSchedule,
} from '../../bulk-syncs/index.ts';
import { actorOf } from '../../organizations/index.ts';
import { Parameter } from '../../schema/bounded.ts';
import { BulkScheduleRequest } from '../../schema/bulk-schedule.ts';
import type { App } from '../app.ts';
import { callerOf, organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { warnIfIdle } from '../warnings.ts';

const SyncParameters = Type.Object({ sync_id: Parameter });
const ScheduleParameters = Type.Object({ sync_id: Parameter, schedule_id: Parameter });
const Body = Type.Object({ schedule: BulkScheduleRequest });

/** The schedules of a bulk sync as a resource of their own, in the camel case that its clients have. */
export function bulkScheduleRoutes(app: App, { db }: ApiDependencies): void {
  const presentSaved = async <Saved extends { frequency: string }>(
    request: FastifyRequest,
    reply: FastifyReply,
    syncId: string,
    data: Saved,
  ) => {
    const { active } = await getBulkSync(db, organizationOf(request), syncId);
    warnIfIdle(reply, active, [data.frequency]);
    return { data };
  };

  app.get(
    '/api/bulk/syncs/:sync_id/schedules',
    { schema: { operationId: 'bulkSync.schedules.list', params: SyncParameters } },
    async (request) => ({
      data: await listBulkSchedules(db, organizationOf(request), request.params.sync_id),
    }),
  );

  app.post(
    '/api/bulk/syncs/:sync_id/schedules',
    { schema: { operationId: 'bulkSync.schedules.create', params: SyncParameters, body: Body } },
    async (request, reply) => {
      const actor = actorOf(callerOf(request));
      const { sync_id: syncId } = request.params;
      const { schedule } = request.body;
      const data = await createBulkSchedule(db, organizationOf(request), actor, syncId, schedule);
      return presentSaved(request, reply, syncId, data);
    },
  );

  app.get(
    '/api/bulk/syncs/:sync_id/schedules/:schedule_id',
    { schema: { operationId: 'bulkSync.schedules.get', params: ScheduleParameters } },
    async (request) => {
      const { sync_id: syncId, schedule_id: id } = request.params;
      return { data: await getBulkSchedule(db, organizationOf(request), syncId, id) };
    },
  );

  app.put(
    '/api/bulk/syncs/:sync_id/schedules/:schedule_id',
    { schema: { operationId: 'bulkSync.schedules.update', params: ScheduleParameters, body: Body } },
    async (request, reply) => {
      const actor = actorOf(callerOf(request));
      const { sync_id: syncId, schedule_id: id } = request.params;
      const { schedule } = request.body;
      const data = await updateBulkSchedule(db, organizationOf(request), actor, syncId, id, schedule);
      return presentSaved(request, reply, syncId, data);
    },
  );

  app.delete(
    '/api/bulk/syncs/:sync_id/schedules/:schedule_id',
    { schema: { operationId: 'bulkSync.schedules.delete', params: ScheduleParameters } },
    async (request, reply) => {
      const actor = actorOf(callerOf(request));
      const { sync_id: syncId, schedule_id: id } = request.params;
      await deleteBulkSchedule(db, organizationOf(request), actor, syncId, id);
      return reply.code(200).send();
    },
  );
}
