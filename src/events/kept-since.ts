import { sql } from 'kysely';

/** Older events, and what belongs to them, are gone even while their partition still stands. @param retention milliseconds */
export const keptSince = (retention: number) =>
  sql<string>`now() - ${retention / 1000} * interval '1 second'`;
