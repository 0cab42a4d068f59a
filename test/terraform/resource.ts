import { isList, type Shape, unknown, type Value, type Values } from './plan.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request as the provider sends it. @returns `data` of the answer; undefined for 404. @throws on any other error. */
export type Send = (method: Method, path: string, body?: object) => Promise<Answered | undefined>;
export interface Answered {
  // biome-ignore lint/suspicious/noExplicitAny: the provider takes apart answers of every shape.
  data: any;
}

/** A resource of Terraform's provider: what it sends, and what state it makes of the answers. */
export interface Resource {
  shape: Shape;
  create(send: Send, asked: Asked): Promise<Values>;
  /** @returns undefined when it is gone. */
  read(send: Send, state: Values): Promise<Values | undefined>;
  update(send: Send, asked: Asked & { state: Values }): Promise<Values>;
  delete(send: Send, state: Values): Promise<unknown>;
  /** The state that an import begins with; by default the id alone. */
  imported?(state: Values): Values;
  /** What the wire does not answer, so that an import does not have it. */
  unreadable?: readonly string[];
}

export interface Asked {
  configuration: Values;
  plan: Values;
}

/** As Go's `omitempty`: nothing, and lists and maps without members, are left out; zero values behind pointers stay. */
export function omitEmpty(members: Record<string, unknown>): object {
  const set = Object.entries(members).filter(([, value]) => {
    if (value === undefined || value === null) return false;
    return typeof value !== 'object' || Object.keys(value).length > 0;
  });
  return Object.fromEntries(set);
}

/** An answer that has to be there. */
export function there(answer: Answered | undefined): Answered {
  if (answer === undefined) throw new Error('not found');
  return answer;
}

/** What Go makes of an absent member of a struct. */
export const orNull = (value: Value) => value ?? null;

/** What is left to the server is unknown in a plan, and Go makes `zero` of it in a request. */
export const orZero = (value: Value, zero: Value) => (value === unknown ? zero : value);

/** The objects of a set; none where there is no set. */
export const list = (value: Value) => (isList(value) ? (value as readonly Values[]) : []);

/** These members of an answer, each of which a state has. */
export const only =
  (names: readonly string[]) =>
  (values: Values): Values =>
    Object.fromEntries(names.map((name) => [name, orNull(values[name])]));
