import { notFound } from '../errors.ts';
import type { SourceMeta, SourceSchema } from './contract.ts';

/** What to choose next in a database: a table, a view or a query. */
export function modelMeta(
  schemas: readonly SourceSchema[],
  parameters: Record<string, string[]>,
): SourceMeta {
  const chosen = parameters.table?.[0] ?? parameters.view?.[0];
  const schema = schemas.find(({ id }) => id === chosen);
  if (chosen !== undefined && schema === undefined) throw notFound('schema', chosen);
  const choice = (items: string[] | null) => ({ items, has_items: items !== null, requires_one_of: null });
  const ids = schemas.map(({ id }) => id);
  return {
    configuration: Object.fromEntries(
      Object.entries(parameters).map(([name, items]) => [name, { type: 'string', items }]),
    ),
    items: {
      table: choice(ids),
      view: choice(ids),
      query: choice(null),
      tracking_columns: choice(schema === undefined ? null : schema.fields.map(({ name }) => name)),
    },
    requires_one_of: parameters.query !== undefined || chosen !== undefined ? [] : ['query', 'table', 'view'],
  };
}
