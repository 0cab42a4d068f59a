import { Type } from 'typebox';
import { getBulkExecution, listBulkExecutions } from '../../bulk-syncs/index.ts';
import { cancelExecution, getExecution, readConsole } from '../../executions/index.ts';
import { Parameter, Token } from '../../schema/bounded.ts';
import { IdParameter, limit, perPage } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';

const ListQuery = Type.Object({
  page_token: Type.Optional(Token),
  limit: limit(perPage),
  ascending: Type.Optional(Type.Boolean()),
  only_terminal: Type.Optional(Type.Boolean()),
});

const ConsoleQuery = Type.Object({
  limit: limit(perPage),
  after: Type.Optional(Token),
});

const ExecutionParameters = Type.Object({ id: Parameter, exec_id: Parameter });
const LogParameters = Type.Object({ sync_id: Parameter, execution_id: Parameter });
const SchemaLogParameters = Type.Object({ ...LogParameters.properties, schema_id: Parameter });

export function bulkExecutionRoutes(app: App, deps: ApiDependencies): void {
  app.get(
    '/api/bulk/syncs/:id/executions',
    { schema: { operationId: 'bulkSync.executions.list', params: IdParameter, querystring: ListQuery } },
    async (request) => {
      const {
        page_token: pageToken,
        limit = perPage,
        ascending,
        only_terminal: onlyTerminal,
      } = request.query;
      const page = { pageToken, limit: limit, ascending, onlyTerminal };
      const { executions, nextPageToken } = await listBulkExecutions(
        deps.db,
        organizationOf(request),
        request.params.id,
        page,
      );
      const pagination = nextPageToken === undefined ? {} : { next_page_token: nextPageToken };
      return { data: executions, pagination };
    },
  );

  app.get(
    '/api/bulk/syncs/:id/executions/:exec_id',
    { schema: { operationId: 'bulkSync.executions.get', params: ExecutionParameters } },
    async (request) => {
      const { id, exec_id } = request.params;
      return { data: await getBulkExecution(deps.db, organizationOf(request), id, exec_id) };
    },
  );

  app.post(
    '/api/bulk/syncs/:id/executions/:exec_id/cancel',
    { schema: { operationId: 'bulkSync.executions.cancel', params: ExecutionParameters } },
    async (request) => {
      const { id, exec_id } = request.params;
      const { status } = await cancelExecution(deps, organizationOf(request), id, exec_id);
      return { data: { message: `cancellation requested: the execution is ${status}` } };
    },
  );

  app.get(
    '/api/bulk/syncs/:sync_id/executions/:execution_id/consolelog',
    {
      schema: {
        operationId: 'bulkSync.executions.getConsoleLogs',
        params: LogParameters,
        querystring: ConsoleQuery,
      },
    },
    async (request) => {
      const { sync_id, execution_id } = request.params;
      const { id } = await getExecution(deps.db, organizationOf(request), sync_id, execution_id);
      return { data: await consoleLog(deps, id, request.query) };
    },
  );

  app.get(
    '/api/bulk/syncs/:sync_id/executions/:execution_id/schemas/:schema_id/consolelog',
    {
      schema: {
        operationId: 'bulkSync.executions.getSchemaConsoleLogs',
        params: SchemaLogParameters,
        querystring: ConsoleQuery,
      },
    },
    async (request) => {
      const { sync_id, execution_id, schema_id: schemaId } = request.params;
      const { id } = await getExecution(deps.db, organizationOf(request), sync_id, execution_id);
      return { data: await consoleLog(deps, id, { ...request.query, schemaId }) };
    },
  );
}

/** `ExecutionConsoleLogsResponse` on the wire. */
async function consoleLog(
  deps: ApiDependencies,
  executionId: string,
  options: { limit?: number | undefined; after?: string | undefined; schemaId?: string | undefined },
) {
  const { entries, nextCursor } = await readConsole(deps.db, executionId, options);
  return { entries, next_cursor: nextCursor };
}
