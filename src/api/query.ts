import type { FastifyRequest } from 'fastify';
import { invalidField, TidemarkError } from '../errors.ts';
import { eventTypes, isEventType } from '../events/index.ts';
import { isTimestamp } from '../lib/timestamp.ts';
import { isUuid } from '../lib/uuid.ts';
import { callerOf } from './authentication.ts';

/** Reads query parameters that several routes have, with an error that names the parameter. */

/** A timestamp at any precision, as PostgreSQL will read it. Empty counts as not given. */
export function timestampParameter(field: string, text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  // An unescaped + of an offset arrives as a space.
  const repaired = text.replace(/ (\d{2}:?\d{2})$/, '+$1');
  if (isTimestamp(repaired)) return repaired;
  throw new TidemarkError('unprocessable', { reason: `${field}: ${text} is no RFC 3339 timestamp` });
}

/** Event types, repeated or separated by commas. */
export function eventTypesParameter(given: readonly string[] | undefined): string[] | undefined {
  const types = (given ?? []).flatMap((text) => text.split(',')).map((text) => text.trim());
  const unknown = types.find((type) => !isEventType(type));
  if (unknown !== undefined && unknown !== '') {
    throw new TidemarkError('unprocessable', {
      reason: `type: ${unknown} is none of ${eventTypes.join(', ')}`,
    });
  }
  const known = types.filter((type) => type !== '');
  return known.length === 0 ? undefined : known;
}

/**
 * A map in a query, in the two forms that clients have for it: `params[table]=x`, and `params={"table":["x"]}` as one
 * text.
 */
export function mapParameter(field: string, given: unknown): Record<string, unknown> {
  if (given === undefined || given === '') return {};
  const map = typeof given === 'string' ? parsed(given) : given;
  if (typeof map === 'object' && map !== null && !Array.isArray(map)) return { ...map };
  throw invalidField(field, `takes a JSON object, or members in brackets such as ${field}[name]=value`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The organization a request is about: the caller's own, or for a partner the one it names. */
export function namedOrganization(request: FastifyRequest, named: string | undefined): string {
  const caller = callerOf(request);
  if (caller.kind === 'partner') {
    if (named && isUuid(named)) return named;
    throw new TidemarkError('unprocessable', {
      reason: 'organization_id: a partner key belongs to no organization, so give the id of one',
    });
  }
  if (named && named !== caller.organizationId) {
    throw new TidemarkError('forbidden', {
      reason: 'organization_id: this credential belongs to another organization',
    });
  }
  return caller.organizationId;
}
