import { Type } from 'typebox';
import { notFound, TidemarkError } from '../../errors.ts';
import {
  cancelExecution,
  getExecution,
  listExecutions,
  listRecordLogs,
  openRecordLog,
  presentModelExecution,
  type RecordLogType,
  readConsole,
  recordLogTypes,
} from '../../executions/index.ts';
import { getModelSync } from '../../model-syncs/index.ts';
import { Parameter, Token, Word } from '../../schema/bounded.ts';
import { limit, perPage } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import { downloadTime } from '../deadlines.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { LinkQuery, logReader, recordLogPathOf } from '../record-log-links.ts';
import { signedLinks } from '../signed-links.ts';

const base = '/api/syncs/:sync_id/executions';
const SyncParameter = Type.Object({ sync_id: Parameter });
const ExecutionParameters = Type.Object({ sync_id: Parameter, id: Parameter });
const LogParameters = Type.Object({ ...ExecutionParameters.properties, type: Parameter });
const FileParameters = Type.Object({ ...LogParameters.properties, filename: Parameter });
const ListQuery = Type.Object({
  page_token: Type.Optional(Token),
  only_completed: Type.Optional(Type.Boolean()),
  ascending: Type.Optional(Type.Boolean()),
});
const UpdateExecution = Type.Object({ status: Word });
const ConsoleQuery = Type.Object({
  limit: limit(perPage),
  after: Type.Optional(Token),
});

export function modelSyncExecutionRoutes(app: App, deps: ApiDependencies): void {
  const { db } = deps;

  app.get(
    base,
    { schema: { operationId: 'modelSync.executions.list', params: SyncParameter, querystring: ListQuery } },
    async (request) => {
      const { page_token: pageToken, only_completed: onlyTerminal, ascending } = request.query;
      const { id: syncId } = await getModelSync(db, organizationOf(request), request.params.sync_id);
      const page = { organizationId: organizationOf(request), syncId, pageToken, onlyTerminal, ascending };
      const { executions, nextPageToken } = await listExecutions(db, { ...page, limit: perPage });
      const pagination = nextPageToken === undefined ? {} : { next_page_token: nextPageToken };
      return { data: executions.map(presentModelExecution), pagination };
    },
  );
  app.get(
    `${base}/:id`,
    { schema: { operationId: 'modelSync.executions.get', params: ExecutionParameters } },
    async (request) => {
      const { sync_id, id } = request.params;
      return { data: presentModelExecution(await getExecution(db, organizationOf(request), sync_id, id)) };
    },
  );
  app.post(
    `${base}/:id/cancel`,
    { schema: { operationId: 'modelSync.executions.cancel', params: ExecutionParameters } },
    async (request) => {
      const { sync_id, id } = request.params;
      const { status } = await cancelExecution(deps, organizationOf(request), sync_id, id);
      return { data: { message: `Execution ${id} is ${status}` } };
    },
  );
  // How clients before 2025-09-18 cancel.
  app.put(
    `${base}/:id`,
    {
      schema: {
        operationId: 'modelSync.executions.update',
        params: ExecutionParameters,
        body: UpdateExecution,
      },
    },
    async (request) => {
      const { sync_id, id } = request.params;
      if (request.body.status !== 'canceled' && request.body.status !== 'canceling') {
        throw new TidemarkError('unprocessable', {
          reason: 'status: an execution can only be set to canceled',
        });
      }
      const execution = await cancelExecution(deps, organizationOf(request), sync_id, id);
      return { data: presentModelExecution(execution) };
    },
  );
  app.get(
    `${base}/:id/consolelog`,
    {
      schema: {
        operationId: 'modelSync.executions.getConsoleLogs',
        params: ExecutionParameters,
        querystring: ConsoleQuery,
      },
    },
    async (request) => {
      const { sync_id, id } = request.params;
      await getExecution(db, organizationOf(request), sync_id, id);
      const { entries, nextCursor } = await readConsole(db, id, request.query);
      return { data: { entries, next_cursor: nextCursor } };
    },
  );
  recordLogRoutes(app, deps);
}

function recordLogRoutes(app: App, deps: ApiDependencies): void {
  const { db } = deps;
  const links = signedLinks(deps.keyRing.derive('record log links'), deps.clock);

  app.get(
    `${base}/:id/:type`,
    { schema: { operationId: 'modelSync.executions.getLogUrls', params: LogParameters } },
    async (request) => {
      const { sync_id, id } = request.params;
      const type = logType(request.params.type);
      await getExecution(db, organizationOf(request), sync_id, id);
      const files = await listRecordLogs(db, id, type);
      const signed = files.map(({ filename }) => links.sign(recordLogPathOf(sync_id, id, type, filename)));
      const expires = signed[0]?.expires.toISOString() ?? null;
      return { data: { expires, urls: signed.map(({ path }) => `${deps.publicUrl}${path}`) } };
    },
  );
  // Public for the access hook: a signed link needs no credential; without one the credential is checked here.
  app.get(
    `${base}/:id/:type/:filename`,
    {
      schema: { operationId: 'modelSync.executions.getLogs', params: FileParameters, querystring: LinkQuery },
      config: { access: 'public' },
      handlerTimeout: downloadTime,
    },
    async (request, reply) => {
      const { sync_id, id, filename } = request.params;
      const type = logType(request.params.type);
      const path = recordLogPathOf(sync_id, id, type, filename);
      const organizationId = await logReader(deps, links, request, path, id);
      const execution = await getExecution(db, organizationId, sync_id, id);
      const file = await openRecordLog(deps, execution, type, filename);
      return reply.type('application/json; charset=utf-8').send(file);
    },
  );
}

function logType(type: string): RecordLogType {
  const known = recordLogTypes.find((one) => one === type);
  if (known === undefined) throw notFound('record log type', type);
  return known;
}
