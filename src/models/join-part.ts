import type { Field } from '../connectors/index.ts';
import { type Reading, readingsOf } from './join-key.ts';
import type { RecordSource } from './record-source.ts';

/** One of the models that are joined. */
export interface Part {
  source: RecordSource;
  /** As the source describes them now. */
  fields: readonly Field[];
  /** Of a model that is joined to one before it; the first is not. */
  joined?: {
    /** Id and name of the model. */
    id: string;
    name: string;
    identifier: string | null;
    /** Place of the part it is joined to. */
    parent: number;
    on: { from: string; to: string }[];
  };
}

/** What one side of a join is found by: its fields and how to read them. */
export interface JoinSide {
  fields: string[];
  readings: Reading[];
}

/** @returns the side of the part before it, and the joined one's. */
export function sidesOf(parts: readonly Part[], { fields, joined }: Part): [JoinSide, JoinSide] {
  const on = joined?.on ?? [];
  const before = parts[joined?.parent ?? 0]?.fields ?? [];
  const readings = on.map(({ from, to }) => readingsOf(need(before, from), need(fields, to)));
  return [
    { fields: on.map(({ from }) => from), readings: readings.map(([one]) => one) },
    { fields: on.map(({ to }) => to), readings: readings.map(([, other]) => other) },
  ];
}

function need(fields: readonly Field[], name: string): Field {
  const field = fields.find((one) => one.name === name);
  if (field === undefined) throw new Error(`a relation needs the field ${name}, which is there no more`);
  return field;
}

/** Null when a value is NULL or cannot be read: then there is no partner. */
export function joinKey(readings: readonly Reading[], values: readonly (string | null)[]): string | null {
  const read: string[] = [];
  for (const [place, reading] of readings.entries()) {
    const value = values[place] ?? null;
    const text = value === null ? undefined : reading(value);
    if (text === undefined) return null;
    read.push(text);
  }
  const [only = null] = read;
  // U+0000 is no text for the database that joins.
  return read.length === 1 && !only?.includes('\0') ? only : JSON.stringify(read);
}
