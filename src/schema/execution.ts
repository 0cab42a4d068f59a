import { type Static, Type } from 'typebox';

const Instant = Type.Union([Type.String(), Type.Null()]);

/** `GetExecutionResponseSchema` on the wire: one execution of a model sync. */
export const ModelExecution = Type.Object({
  id: Type.String(),
  /** What started it: `manual` or `scheduled`. */
  type: Type.String(),
  status: Type.String(),
  counts: Type.Object({
    total: Type.Integer(),
    insert: Type.Integer(),
    update: Type.Integer(),
    upserts: Type.Integer(),
    delete: Type.Integer(),
    error: Type.Integer(),
    warnings: Type.Integer(),
  }),
  errors: Type.Array(Type.String()),
  /** Ours: what it waits for, or why it failed. */
  status_message: Type.Optional(Type.String()),
  created_at: Type.String(),
  started_at: Instant,
  completed_at: Instant,
});
export type ModelExecution = Static<typeof ModelExecution>;
