import type { FastifyReply, FastifyRequest } from 'fastify';
import { TidemarkError } from '../errors.ts';
import { mostUnread, type UnreadMember, unreadMembers } from '../schema/members.ts';
import type { App } from './app.ts';

/** Asks that every member which nothing reads is refused: Tidemark's own command line and console send it. */
const strictHeader = 'tidemark-strict';
/** Names the members of a request that had no effect. */
const ignoredHeader = 'tidemark-ignored';

/** The vendor's generated clients send it. */
const generatedHeader = 'x-fern-language';

/** Characters of names in the header, which servers in front of this one limit. */
const longestHeader = 2_000;

/**
 * Nothing that a request says is dropped in silence. A member that the operation does not read is
 *
 * - refused, if any generation of the wire knows it: what it asks for would not happen;
 * - refused, if it looks like a misspelling of one that is read and is not there. The vendor's clients are generated and
 *   misspell nothing, but what people write into a configuration: theirs is a member that this server does not know yet;
 * - refused, if the caller asked for it by `Tidemark-Strict: true`;
 * - named in `Tidemark-Ignored` otherwise: a client may be newer than this server, or send back what it read.
 */
export function installMembers(app: App): void {
  app.addHook('preValidation', async (request, reply) => {
    const { schema, config } = request.routeOptions;
    if (request.is404 || config.notBuilt) return;
    noteMembers(request, reply, schema?.querystring ?? nothing, request.query, '');
    noteMembers(request, reply, schema?.body ?? nothing, request.body, '');
  });
}

const nothing = { properties: {} };

/**
 * Holds a part of a request against the schema that says what is read of it, e.g. a configuration against its connector's.
 *
 * @param place where it stands in the request. @throws unknown_member, unsupported_member
 */
export function noteMembers(
  request: FastifyRequest,
  reply: FastifyReply,
  schema: unknown,
  value: unknown,
  place: string,
): void {
  const unread = unreadMembers(schema as object, value, place);
  if (unread.length === 0) return;
  const refused = unread.find(({ kind }) => kind === 'refused');
  if (refused !== undefined) {
    const { place: field, reason = '' } = refused;
    throw new TidemarkError('unsupported_member', { field, reason });
  }
  const strict = request.headers[strictHeader] === 'true';
  const byHand = place !== '' || request.headers[generatedHeader] === undefined;
  const unknown = unread.filter(
    ({ kind, near }) => kind === 'unknown' && (strict || (byHand && near !== undefined)),
  );
  const [first] = unknown;
  if (first !== undefined || unread.length >= mostUnread) {
    const named = (first === undefined ? unread : unknown).slice(0, 10);
    throw new TidemarkError('unknown_member', {
      field: named[0]?.place ?? place,
      members: named.map(inWords).join(', '),
    });
  }
  const before = reply.getHeader(ignoredHeader);
  const names = [...(typeof before === 'string' ? [before] : []), ...unread.map(({ place }) => shown(place))];
  reply.header(ignoredHeader, listOf(names));
}

function inWords({ place, near }: UnreadMember): string {
  return near === undefined ? place : `${place} (did you mean ${near}?)`;
}

/** A header takes visible ASCII, and a comma separates names. */
const shown = (place: string) =>
  encodeURIComponent(place.toWellFormed()).replaceAll('%5B', '[').replaceAll('%5D', ']');

function listOf(names: readonly string[]): string {
  let list = '';
  for (const [index, name] of names.entries()) {
    const longer = index === 0 ? name : `${list}, ${name}`;
    if (longer.length > longestHeader) return `${list}, ...`;
    list = longer;
  }
  return list;
}
