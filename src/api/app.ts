import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController,
  type RawServerDefault,
} from 'fastify';
import { TidemarkError } from '../errors.ts';
import { limits } from '../limits.ts';
import { installAuthentication } from './authentication.ts';
import { installBody } from './body.ts';
import { deadlines } from './deadlines.ts';
import type { ApiDependencies } from './dependencies.ts';
import { installErrors, toApiError } from './errors.ts';
import { installIdempotency } from './idempotency.ts';
import { installLooks } from './looks.ts';
import { installMembers } from './members.ts';
import { installNamedOrganization } from './named-organization.ts';
import { watchRoutes } from './not-built.ts';
import { installOpenApi } from './openapi.ts';
import { installQueryString, parseQueryString } from './query-string.ts';
import { registerRoutes } from './routes/index.ts';
import { installUnknownRoutes } from './unknown-routes.ts';
import { refuseUnreadable } from './unreadable.ts';
import { installValidation } from './validation.ts';
import { installVersions, versionHeader } from './versions.ts';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifySchema {
    /** The operation's name in the clients, e.g. `connections.create`. */
    operationId?: string;
  }
}

/** At level debug. Without the query: links to record logs are signed in theirs. */
function logRequests(app: App): void {
  app.addHook('onResponse', async (request, reply) => {
    const [path] = request.url.split('?', 1);
    request.log.debug(
      {
        request_id: request.id,
        method: request.method,
        path,
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime),
        ...(request.caller?.kind === 'partner' ? {} : { organization_id: request.caller?.organizationId }),
      },
      'request.finished',
    );
  });
}

/**
 * The vendor's Go client, and Terraform with it, sends what it changes of a model in the URL, too, with the whole SQL: the
 * head of a request is a large one.
 */
const { head, body, parameter } = limits.request;

/**
 * The whole HTTP API as an application without a port.
 *
 * @param prepare is called before any route exists, for hooks that must see every one.
 */
export function buildApp(dependencies: ApiDependencies, prepare: (app: App) => void = () => {}): App {
  const times = dependencies.deadlines ?? deadlines;
  const app = Fastify({
    loggerInstance: dependencies.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: body.most,
    http: {
      maxHeaderSize: head.most,
      headersTimeout: times.head,
      requestTimeout: times.body,
      // How often it is looked for requests that are late.
      connectionsCheckingInterval: Math.min(times.head, 5000),
    },
    requestTimeout: times.body,
    handlerTimeout: times.handling,
    connectionTimeout: times.idle,
    // What never becomes a request goes past every hook.
    frameworkErrors: (error, _request, reply) => {
      const shown = toApiError(new TidemarkError('bad_request', { reason: error.message }));
      (reply as FastifyReply).code(shown.status).headers(versionHeader).send(shown);
    },
    clientErrorHandler: refuseUnreadable(times, head.most),
    genReqId: () => crypto.randomUUID(),
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: parameter.most,
      querystringParser: parseQueryString,
    },
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as App;
  prepare(app);
  logRequests(app);
  installErrors(app, body.most, times);
  installUnknownRoutes(app);
  installQueryString(app);
  installBody(app);
  installValidation(app);
  installMembers(app);
  installNamedOrganization(app);
  installVersions(app);
  installAuthentication(app, dependencies);
  installIdempotency(app, dependencies);
  installLooks(app, dependencies);
  installOpenApi(app);
  app.after(() => {
    const routes = watchRoutes(app);
    registerRoutes(app, dependencies);
    routes.finish();
  });
  return app;
}
