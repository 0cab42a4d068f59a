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
  walk(readingOf(schema as Node), value, place, place, found);
  return [...found.values()];
}

/** @param shape the place without the places of lists: what every element of a list has is told once. */
function walk(
  reading: Reading,
  value: unknown,
  place: string,
  shape: string,
  found: Map<string, UnreadMember>,
): void {
  if (Array.isArray(value)) {
    const { items } = reading;
    if (items === undefined) return;
    for (const [index, item] of value.entries()) {
      if (typeof item === 'object') walk(items, item, inner(place, String(index)), shape, found);
    }
    return;
  }
  if (typeof value !== 'object' || value === null || reading.isAnything) return;
  for (const [name, content] of Object.entries(value)) {
    if (found.size >= mostUnread) return;
    const member = reading.member(name);
    if (member === undefined) {
      const missing = () => reading.names.filter((one) => !Object.hasOwn(value, one));
      tell(found, inner(shape, name), () => ({
        place: inner(place, name),
        kind: 'unknown',
        ...nearest(name, missing()),
      }));
      continue;
    }
    const told = toldOf(member.nodes, content);
    if (told !== undefined) {
      tell(found, inner(shape, name), () => ({ place: inner(place, name), ...told }));
    } else if (typeof content === 'object' && content !== null) {
      walk(member, content, inner(place, name), inner(shape, name), found);
    }
  }
}

/** What one or several schemas say of a value: made once, since a list may have many elements. */
class Reading {
  readonly nodes: readonly Node[];
  readonly names: readonly string[];
  /** Neither members nor patterns of them. */
  readonly isAnything: boolean;
  readonly #known: readonly Record<string, Node>[];
  readonly #open: readonly Node[];
  readonly #items: readonly Node[];
  readonly #members = new Map<string, Reading | undefined>();
  #ofItems: Reading | undefined;
  #ofOpen: Reading | undefined;

  constructor(nodes: readonly Node[]) {
    this.nodes = nodes;
    const branches = nodes.flatMap(alternatives);
    this.#items = branches.flatMap(({ items }) => items ?? []);
    this.#known = branches.flatMap(({ properties }) => (properties === undefined ? [] : [properties]));
    this.#open = branches.flatMap(({ patternProperties }) => Object.values(patternProperties ?? {}));
    this.names = this.#known.flatMap((properties) => Object.keys(properties));
    this.isAnything = this.#known.length === 0 && this.#open.length === 0;
  }

  get items(): Reading | undefined {
    if (this.#items.length > 0) this.#ofItems ??= new Reading(this.#items);
    return this.#ofItems;
  }

  /** Undefined for one that nothing reads. */
  member(name: string): Reading | undefined {
    if (this.#members.has(name)) return this.#members.get(name);
    const here = this.#known.flatMap((properties) =>
      Object.hasOwn(properties, name) ? (properties[name] ?? []) : [],
    );
    if (here.length === 0) {
      if (this.#open.length > 0) this.#ofOpen ??= new Reading(this.#open);
      return this.#ofOpen;
    }
    const reading = new Reading(here);
    this.#members.set(name, reading);
    return reading;
  }
}

const readings = new WeakMap<Node, Reading>();

function readingOf(schema: Node): Reading {
  const reading = readings.get(schema) ?? new Reading([schema]);
  readings.set(schema, reading);
  return reading;
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
