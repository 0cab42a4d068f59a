import { Type } from 'typebox';
import { limits } from '../limits.ts';

/** Texts, lists and open values of requests, each with its maximum. A request has no others: see `hostile/maxima.pg.test.ts`. */

const { texts, open } = limits;
const text = ({ most }: { most: number }) => Type.String({ maxLength: most });

/** Of a path: the router refuses longer ones. */
export const Parameter = text(limits.request.parameter);

export const Word = text(texts.word);
export const Id = text(texts.id);
export const SchemaId = text(texts.schemaId);
export const Name = Type.String({ minLength: 1, maxLength: texts.name.most });
/** A name that may be empty. */
export const Label = text(texts.name);
export const Email = text(texts.email);
export const Url = text(texts.url);
export const Secret = text(texts.secret);
export const FieldName = text(texts.field);
export const Timestamp = text(texts.timestamp);
export const SchedulePart = text(texts.schedulePart);
export const Token = text(texts.token);
export const Logic = text(texts.logic);
export const Constant = text(texts.value);
export const Example = text(texts.example);

/** As Go writes it: `30m`, `1h30m`. */
export const Duration = Type.String({
  maxLength: texts.word.most,
  pattern: '^(0|([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+)?$',
  description: 'A duration such as 30m or 1h30m.',
});

/** Keyword of the sizes of open values. */
export const sizeKeyword = 'x-max-size';

/** What a value counts, beside its characters: it costs time whatever is in it. */
const perValue = 20;

/** @see docs/limits.md for what counts. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + perValue;
  if (typeof value !== 'object' || value === null) return perValue;
  let size = perValue;
  for (const [name, inner] of Object.entries(value)) {
    size += (Array.isArray(value) ? 0 : name.length) + sizeOf(inner);
  }
  return size;
}

export const JsonObject = Type.Record(Type.String(), Type.Unknown(), {
  maxProperties: open.members.most,
  [sizeKeyword]: open.configuration.most,
});
export const ModelConfiguration = Type.Record(Type.String(), Type.Unknown(), {
  maxProperties: open.members.most,
  [sizeKeyword]: open.modelConfiguration.most,
});
/** @param more e.g. a description. */
export const anyValue = (more: object = {}) => Type.Unknown({ [sizeKeyword]: open.value.most, ...more });
