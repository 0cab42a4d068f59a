import { Type } from 'typebox';
import { type Egress, EgressError } from '../../egress/index.ts';
import { messageOf, TidemarkError } from '../../errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import { isJson } from '../../lib/json-path.ts';
import {
  Busy,
  ConnectionLost,
  type Enrichment,
  type Lookup,
  type LookupAnswer,
  LookupRefused,
  type LookupRequest,
} from '../contract.ts';
import { Bearer } from '../http-auth/index.ts';
import { passing } from '../passing-answer.ts';
import type { Configuration } from './configuration.ts';
import { fillIn, inputsOf } from './template.ts';

/** Milliseconds for one request. */
const deadline = 30_000;
/** The most of an answer that is read: one that fills it may have been longer. */
const largestAnswer = 64 * 1024;

const settings = { concurrency: { usual: 4, most: 32 }, cache_hours: { usual: 24, most: 720 } };

/** Its numbers are checked where they are used. */
export const enricherConfiguration = Type.Object(
  Object.fromEntries(Object.keys(settings).map((name) => [name, Type.Optional(Type.Unknown())])),
);

interface Context {
  egress: Egress;
  signal: AbortSignal;
}

export function enrichment(configuration: Configuration, context: Context): Enrichment {
  return {
    meta: async (parameters) => ({
      configuration: Object.fromEntries(
        Object.entries(parameters).map(([name, items]) => [name, { type: 'number', items }]),
      ),
      items: Object.fromEntries(
        Object.keys(settings).map((name) => [name, { items: null, has_items: false, requires_one_of: null }]),
      ),
      requires_one_of: [],
    }),
    inputs(chosen) {
      whole(chosen, 'concurrency');
      return [inputsOf(configuration)];
    },
    lookup: (chosen) => lookup(configuration, chosen, context),
  };
}

/** Sends a request to the health check, if there is one. */
export async function check(configuration: Configuration, { egress, signal }: Context): Promise<void> {
  const inputs = new Map(inputsOf(configuration).map((name) => [name, 'x']));
  const { problem } = fillIn(configuration, inputs);
  if (problem !== undefined) throw new Error(problem);
  const { healthcheck, auth } = configuration;
  if (!healthcheck) return;
  const { headers } = fillIn({ ...configuration, url: healthcheck, parameters: [], method: 'GET' }, inputs);
  const { status } = await new Bearer(auth?.oauth, egress, signal).send((authorization) =>
    egress.request({
      url: healthcheck,
      method: 'GET',
      headers: { ...headers, ...authorization },
      deadline,
      signal,
    }),
  );
  if (status < 200 || status > 299) throw new Error(`the health check answered ${status}`);
}

function lookup(configuration: Configuration, chosen: JsonObject, { egress, signal }: Context): Lookup {
  const names = inputsOf(configuration);
  const bearer = new Bearer(configuration.auth?.oauth, egress, signal);
  const send = ({ url, headers, body }: LookupRequest) =>
    bearer.send((authorization) =>
      egress.request({
        url,
        method: configuration.method,
        headers: { ...headers, ...authorization },
        ...(body === undefined ? {} : { body }),
        deadline,
        signal,
      }),
    );
  return {
    concurrency: whole(chosen, 'concurrency'),
    cacheHours: whole(chosen, 'cache_hours'),
    request(inputs) {
      const values = names.map((name) => [name, inputs.get(name) ?? null] as const);
      const known = values.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
      return known.length < names.length ? undefined : fillIn(configuration, new Map(known));
    },
    async send(request) {
      try {
        return answerOf(await send(request));
      } catch (error) {
        return unanswered(error);
      }
    },
  };
}

/** @throws what no other try will mend. */
function unanswered(error: unknown): LookupAnswer {
  const failure = { status: 'failed', reason: messageOf(error) } as const;
  if (error instanceof Busy) return { ...failure, again: error.pause, busy: true };
  if (error instanceof ConnectionLost) return { ...failure, again: 0 };
  if (!(error instanceof EgressError)) throw error;
  const final = error.failure === 'refused_address' || error.failure === 'invalid_url';
  if (final) throw new LookupRefused(failure.reason, { cause: error });
  return { ...failure, again: 0 };
}

function answerOf({
  status,
  headers,
  body,
}: {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}): LookupAnswer {
  const text = body.toString('utf8');
  if (status === 204 || status === 404 || status === 410) return { status: 'nothing' };
  if (status >= 200 && status < 300) {
    if (body.length >= largestAnswer) return failed(`its answer is longer than ${largestAnswer / 1024} KiB`);
    return isJson(text) ? { status: 'found', json: text } : failed('its answer is no JSON');
  }
  const said = text.slice(0, 200).trim();
  const reason = `it answered ${status}${said === '' ? '' : `: ${said}`}`;
  if (status === 401 || status === 403) throw new LookupRefused(reason);
  const later = passing({ status, headers });
  if (later !== undefined) {
    // A lookup's 503 may be about that one record: only who asks for a pause slows down the others.
    const busy = status === 429 || later.pause > 0;
    return { status: 'failed', reason, again: later.pause, busy };
  }
  return failed(reason);
}

function failed(reason: string): LookupAnswer {
  return { status: 'failed', reason };
}

/** A whole number of the enricher's configuration. @throws invalid_field */
function whole(chosen: JsonObject, name: keyof typeof settings): number {
  const { usual, most } = settings[name];
  const value = chosen[name] ?? usual;
  // What is chosen by query parameters is text.
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= most) return number;
  const reason = `takes a whole number from 1 to ${most}`;
  throw new TidemarkError('invalid_field', { field: `configuration.${name}`, reason });
}
