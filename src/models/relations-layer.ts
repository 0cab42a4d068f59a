import { TidemarkError } from '../errors.ts';
import type { Part } from './join-part.ts';
import { joinedSource } from './joined-source.ts';
import type { Layer, Opening } from './layer.ts';
import { splitRelatedName } from './related-name.ts';
import { onTheWayTo, type Related, relatedModels } from './relations.ts';

/** Adds the fields of related models, by the names that `relatedName` gives them. */
export const relationsLayer: Layer = async (opening, below) => {
  const { wanted = [] } = opening;
  if (!wanted.some((name) => splitRelatedName(name) !== undefined)) return below(opening.wanted);
  const stack = new AsyncDisposableStack();
  try {
    const parts = await openParts(opening, wanted, below, stack);
    return joinedSource(opening, parts, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
};

async function openParts(
  { deps, model, openOther }: Opening,
  wanted: readonly string[],
  below: Parameters<Layer>[1],
  stack: AsyncDisposableStack,
): Promise<Part[]> {
  const needed = joinsTo(wanted, await relatedModels(deps.db, model));
  const fieldsFor = (id: string | undefined) =>
    needed.filter(({ parent }) => parent === id).flatMap(({ on }) => on.map(({ from }) => from));
  const own = wanted.filter((name) => splitRelatedName(name) === undefined);
  const source = stack.use(await below([...own, ...fieldsFor(undefined)]));
  const parts: Part[] = [{ source, fields: await source.fields() }];
  for (const { model: other, parent, on } of needed) {
    const { id, name, identifier } = other;
    const names = wanted.map(splitRelatedName).flatMap((at) => (at?.modelId === id ? [at.field] : []));
    const keys = [...on.map(({ to }) => to), ...fieldsFor(id), ...(identifier === null ? [] : [identifier])];
    const opened = stack.use(await openOther(other, [...names, ...keys]));
    const place = 1 + needed.findIndex((one) => one.model.id === parent);
    const joined = { id, name, identifier, parent: place, on };
    parts.push({ source: opened, fields: await opened.fields(), joined });
  }
  return parts;
}

/** @throws invalid_field when a wanted field is of a model that no relation leads to any more. */
function joinsTo(wanted: readonly string[], related: readonly Related[]): Related[] {
  const ids = new Set(wanted.flatMap((name) => splitRelatedName(name)?.modelId ?? []));
  for (const id of ids) {
    if (related.some(({ model }) => model.id === id)) continue;
    const reason = `no relation of this model leads to model ${id} any more, or that was deleted`;
    throw new TidemarkError('invalid_field', { field: 'relations', reason });
  }
  return onTheWayTo(related, ids);
}
