import { nearName } from '../lib/near-name.ts';

/**
 * Keywords of request schemas beside those of JSON Schema:
 *
 * - `refused`: the wire knows the member and Tidemark does not honour it. Why; it is refused if it says anything.
 * - `noEffect`: the wire knows the member, and leaving it out comes to the same. Why; it is named to the caller.
 * - `readOnly`: an answer has it, and clients send back what they read. It is named to the caller.
 */
interface Node {
  properties?: Record<string, Node>;
  patternProperties?: Record<string, Node>;
  items?: Node;
  anyOf?: Node[];
  refused?: string;
  noEffect?: string;
  readOnly?: boolean;
}

/** A member of a request that nothing reads. */
export interface UnreadMember {
  /** Dotted, with the places of lists: `fields.0.targt`. */
  place: string;
  kind: 'unknown' | 'refused' | 'without-effect';
  /** Why a known member is not read. */
  reason?: string;
  /** The member that an unknown one is a misspelling of, as it seems: one that is not there itself. */
  near?: string;
}

/** The search ends with so many distinct members: no client says that much by mistake. */
export const mostUnread = 200;

/**
 * The members of a value, at every depth, that its schema does not read. What a schema leaves open (a record, any value)
 * has no unknown members: whoever reads it holds it against a schema of its own.
 *
 * @param schema JSON Schema. @param place where the value stands in the request.
 */
export function unreadMembers(schema: object, value: unknown, place = ''): UnreadMember[] {
  const found = new Map<string, UnreadMember>();
  walk([schema as Node], value, place, place, found);
  return [...found.values()];
}

/** @param shape the place without the places of lists: what every element of a list has is told once. */
function walk(
  nodes: readonly Node[],
  value: unknown,
  place: string,
  shape: string,
  found: Map<string, UnreadMember>,
): void {
  const branches = nodes.flatMap(alternatives);
  if (Array.isArray(value)) {
    const items = branches.flatMap(({ items }) => items ?? []);
    if (items.length === 0) return;
    for (const [index, item] of value.entries()) walk(items, item, inner(place, String(index)), shape, found);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const known = branches.flatMap(({ properties }) => (properties === undefined ? [] : [properties]));
  const names = known.flatMap((properties) => Object.keys(properties));
  const open = branches.flatMap(({ patternProperties }) => Object.values(patternProperties ?? {}));
  if (known.length === 0 && open.length === 0) return;
  for (const [name, content] of Object.entries(value)) {
    if (found.size >= mostUnread) return;
    const at = inner(place, name);
    const kind = inner(shape, name);
    const here = known.flatMap((properties) =>
      Object.hasOwn(properties, name) ? (properties[name] ?? []) : [],
    );
    if (here.length === 0 && open.length === 0) {
      const missing = () => names.filter((one) => !Object.hasOwn(value, one));
      tell(found, kind, () => ({ place: at, kind: 'unknown', ...nearest(name, missing()) }));
      continue;
    }
    const told = toldOf(here, content);
    if (told === undefined) walk(here.length > 0 ? here : open, content, at, kind, found);
    else tell(found, kind, () => ({ place: at, ...told }));
  }
}

function alternatives(node: Node): Node[] {
  return node.anyOf === undefined ? [node] : node.anyOf.flatMap(alternatives);
}

function toldOf(nodes: readonly Node[], content: unknown): Omit<UnreadMember, 'place'> | undefined {
  for (const { refused, noEffect, readOnly } of nodes) {
    if (refused !== undefined) {
      return isNothing(content) ? undefined : { kind: 'refused', reason: refused };
    }
    if (noEffect !== undefined) return { kind: 'without-effect', reason: noEffect };
    if (readOnly) return { kind: 'without-effect' };
  }
  return undefined;
}

function tell(found: Map<string, UnreadMember>, shape: string, member: () => UnreadMember): void {
  if (!found.has(shape)) found.set(shape, member());
}

function nearest(name: string, known: readonly string[]): Pick<UnreadMember, 'near'> {
  const near = nearName(name, known);
  return near === undefined ? {} : { near };
}

/** What clients send for what is not set. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 'false')
    return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

const inner = (place: string, name: string) => (place === '' ? name : `${place}.${name}`);
