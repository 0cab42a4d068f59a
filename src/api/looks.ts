import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { watchCommits } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { ProcessDied, type TaskHost } from '../isolation/index.ts';
import { limits } from '../limits.ts';
import type { App } from './app.ts';
import { organizationOf } from './authentication.ts';
import { seconds } from './deadlines.ts';
import type { ApiDependencies } from './dependencies.ts';
import { toApiError } from './errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It speaks to a system of the user, always or if the request asks for it. */
    looks?: true | ((request: FastifyRequest) => boolean);
  }
}

/** Where requests run that speak to a system of a user. */
export interface Looks {
  tasks: TaskHost;
  /** Milliseconds that such a request may take, until the last byte of its answer. */
  deadline: number;
}

/** The task of a process that answers requests. */
export const lookTask = 'look';

type Headers = Record<string, string | string[]>;

interface LookRequest {
  method: string;
  url: string;
  headers: Headers;
  body: string | undefined;
}

interface LookAnswer {
  status: number;
  headers: Headers;
  body: string;
  /** Whether something was changed for good. */
  committed: boolean;
}

const answerLimit = limits.processes.lookAnswer.most;

/** They belong to one connection, or this process answers for them. */
const ownHeaders = [
  'connection',
  'content-length',
  'date',
  'expect',
  'idempotency-key',
  'keep-alive',
  'transfer-encoding',
];

/**
 * Answers requests that speak to a system of a user in processes of their own, by the same application: what such a system
 * answers can end, stop or fill that process, and this one goes on answering everybody.
 */
export function installLooks(app: App, { looks }: ApiDependencies): void {
  if (looks === undefined) return;
  app.addHook('onRoute', (route: RouteOptions) => {
    const { handler } = route;
    const asks = route.config?.looks;
    if (asks === undefined) return;
    route.handler = async function (request, reply) {
      return asks === true || asks(request)
        ? look(looks, request, reply)
        : handler.call(this, request, reply);
    };
  });
}

async function look(looks: Looks, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const input: LookRequest = {
    method: request.method,
    url: request.url,
    headers: passedOn(request.headers),
    body: request.body === undefined ? undefined : JSON.stringify(request.body),
  };
  const task = looks.tasks.give(organizationOf(request), lookTask, input);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    task.kill('it took too long');
  }, looks.deadline);
  const clientGone = () => task.kill('its client is gone');
  reply.raw.once('close', clientGone);
  try {
    const { status, headers, body, committed } = (await task.result) as LookAnswer;
    if (committed && request.commits !== null) request.commits.happened = true;
    return await reply
      .code(status)
      .headers(headers)
      .send(body === '' ? undefined : body);
  } catch (error) {
    if (!(error instanceof ProcessDied)) throw isLate ? noPlace() : error;
    if (isLate) throw new TidemarkError('look_took_too_long', { seconds: seconds(looks.deadline) });
    throw new TidemarkError('look_failed', { reason: error.message });
  } finally {
    clearTimeout(timer);
    reply.raw.off('close', clientGone);
  }
}

/** It waited all the time, and nothing was done. */
const noPlace = () =>
  new TidemarkError('unavailable', {
    reason: 'All places for requests that speak to systems are taken (TIDEMARK_LOOKS)',
  });

/** The other side: what a process does with such a task. */
export function lookTaskOf(app: App) {
  return async ({ method, url, headers, body }: LookRequest): Promise<LookAnswer> => {
    const commits = { happened: false };
    const injected = {
      method: method as 'GET',
      url,
      headers,
      ...(body === undefined ? {} : { payload: body }),
    };
    const answer = await new Promise<Awaited<ReturnType<typeof app.inject>>>((resolve, reject) => {
      watchCommits(commits, () => void app.inject(injected).then(resolve, reject));
    });
    if (answer.body.length > answerLimit) return tooLarge(answer.body.length);
    return {
      status: answer.statusCode,
      headers: passedOn(answer.headers),
      body: answer.body,
      committed: commits.happened,
    };
  };
}

function tooLarge(length: number): LookAnswer {
  const reason = `its answer has ${length} characters, and ${answerLimit} are the most`;
  const error = toApiError(new TidemarkError('look_failed', { reason }));
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return { status: error.status, headers, body: JSON.stringify(error), committed: false };
}

function passedOn(headers: Record<string, number | string | string[] | undefined>): Headers {
  const passed: Headers = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || ownHeaders.includes(name)) continue;
    passed[name] = typeof value === 'number' ? String(value) : value;
  }
  return passed;
}
