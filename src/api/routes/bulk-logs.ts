import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { TidemarkError } from '../../errors.ts';
import {
  type Execution,
  findExecution,
  getExecution,
  isFinished,
  listRecordLogs,
  openRecordLog,
  type RecordLogFile,
} from '../../executions/index.ts';
import { getModelJob, modelJobTypes } from '../../models/index.ts';
import { Parameter } from '../../schema/bounded.ts';
import { refused } from '../../schema/unread.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import { downloadTime } from '../deadlines.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { jobJson } from '../job-json.ts';
import { LinkQuery, logReader, recordLogPathOf } from '../record-log-links.ts';
import { sendJson } from '../send-json.ts';
import { type SignedLinks, signedLinks } from '../signed-links.ts';

const LogParameters = Type.Object({ sync_id: Parameter, execution_id: Parameter });
const ExportQuery = Type.Object({
  notify: refused('this server sends no mail: ask for the job until it is done'),
});
const JobParameters = Type.Object({ type: Parameter, id: Parameter });

const base = '/api/bulk/syncs/:sync_id/executions/:execution_id/logs';

/**
 * Record logs of bulk executions: an entry per schema in `records`, one per column and rule whose values changed in
 * `warnings`, one per schema that failed in `errors`. Rows themselves go by without being looked at.
 */
export function bulkLogRoutes(app: App, deps: ApiDependencies): void {
  const links = signedLinks(deps.keyRing.derive('record log links'), deps.clock);

  app.get(
    base,
    { schema: { operationId: 'bulkSync.executions.getLogs', params: LogParameters } },
    async (request) => {
      const { sync_id, execution_id } = request.params;
      const { id } = await getExecution(deps.db, organizationOf(request), sync_id, execution_id);
      const files = await listRecordLogs(deps.db, id);
      const signed = files.map(({ type, filename }) =>
        links.sign(recordLogPathOf(sync_id, id, type, filename)),
      );
      return {
        data: {
          URLs: signed.map(({ path }) => `${deps.publicUrl}${path}`),
          Expires: signed[0]?.expires.toISOString() ?? null,
        },
      };
    },
  );

  app.post(
    `${base}/export`,
    {
      schema: {
        operationId: 'bulkSync.executions.exportLogs',
        params: LogParameters,
        querystring: ExportQuery,
      },
    },
    async (request) => {
      const { sync_id, execution_id } = request.params;
      const execution = await getExecution(deps.db, organizationOf(request), sync_id, execution_id);
      const job = exportJob(deps, links, execution);
      return { data: job.result ?? {}, job };
    },
  );

  // Public for the access hook: a signed link needs no credential; without one the credential is checked here.
  app.get(
    `${base}/export`,
    {
      schema: {
        operationId: 'bulkSync.executions.getExport',
        params: LogParameters,
        querystring: LinkQuery,
      },
      config: { access: 'public' },
      handlerTimeout: downloadTime,
    },
    async (request, reply) => {
      const { sync_id, execution_id } = request.params;
      const path = exportPath(sync_id, execution_id);
      const organizationId = await logReader(deps, links, request, path, execution_id);
      const execution = await getExecution(deps.db, organizationId, sync_id, execution_id);
      const files = await listRecordLogs(deps.db, execution.id);
      const content = Readable.from(exportOf(deps, execution, files));
      return reply.type('application/json; charset=utf-8').send(content);
    },
  );

  app.get(
    '/api/jobs/:type/:id',
    { schema: { operationId: 'jobs.get', params: JobParameters } },
    async (request, reply) => {
      const { type, id } = request.params;
      const modelType = modelJobTypes.find((one) => one === type);
      if (modelType !== undefined) {
        const job = await getModelJob(deps, organizationOf(request), modelType, id);
        return sendJson(reply, `{"data":${jobJson(job)}}`);
      }
      if (type !== exportType) {
        throw new TidemarkError('bad_request', {
          reason: `type: there are no jobs of type ${type}; types are ${[...modelJobTypes, exportType].join(', ')}`,
        });
      }
      return { data: exportJob(deps, links, await findExecution(deps.db, organizationOf(request), id)) };
    },
  );
}

const exportType = 'exportlogs';

/** `JobResponse` on the wire. The job of an export is its execution: it is done once that has ended. */
function exportJob({ publicUrl }: ApiDependencies, links: SignedLinks, execution: Execution) {
  const job = { job_id: execution.id, type: exportType, error: null, result: undefined };
  if (!isFinished(execution)) return { ...job, status: 'running' };
  const { path } = links.sign(exportPath(execution.syncId, execution.id));
  return { ...job, status: 'done', result: { url: `${publicUrl}${path}` } };
}

const exportPath = (syncId: string, executionId: string) =>
  `/api/bulk/syncs/${encodeURIComponent(syncId)}/executions/${encodeURIComponent(executionId)}/logs/export`;

/** Every record log of an execution in one JSON object: type → list of files, each a list of entries. */
async function* exportOf(
  deps: ApiDependencies,
  execution: Execution,
  list: readonly RecordLogFile[],
): AsyncGenerator<string | Buffer> {
  const files = Map.groupBy(list, ({ type }) => type);
  yield '{';
  let typeSeparator = '';
  for (const [type, ofType] of files) {
    yield `${typeSeparator}\n${JSON.stringify(type)}: [`;
    let separator = '';
    for (const { filename } of ofType) {
      yield separator;
      yield* await openRecordLog(deps, execution, type, filename);
      separator = ',\n';
    }
    yield ']';
    typeSeparator = ',';
  }
  yield '\n}\n';
}
