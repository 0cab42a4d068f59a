import { invalidField } from '../errors.ts';
import { limits } from '../limits.ts';

/** How many conditions one expression may be made of. */
export const { most: mostConditions } = limits.lists.filters;

const keywords = ['AND', 'OR', 'NOT'];

/** The label of the nth condition: A to Z, then AA, AB, … */
export function labelOf(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : labelOf(Math.floor(index / 26) - 1) + letter;
}

/**
 * Gives every condition a label: its own, if the request has one, else the next that is free.
 *
 * @param place of a condition in the request, to be named in errors. @param scope in which its label is its own.
 * @throws invalid_field for a label that is no name, a word of the logic, or taken.
 */
export function assignLabels(
  given: readonly (string | undefined)[],
  place: (index: number) => string,
  scope: (index: number) => string = () => '',
): string[] {
  for (const [index, label] of given.entries()) {
    if (label === undefined) continue;
    const at = `${place(index)}.label`;
    if (!/^[a-z_][a-z\d_]{0,49}$/i.test(label) || keywords.includes(label.toUpperCase())) {
      const reason =
        'starts with a letter or _, goes on with letters, digits and _, and is none of AND, OR and NOT; left out, the next free letter is given';
      throw invalidField(at, reason);
    }
    const first = given.findIndex((other, at) => other === label && scope(at) === scope(index));
    if (first !== index) throw invalidField(at, `${label} is the label of another filter`);
  }
  const taken = new Set(given.map((label) => label?.toUpperCase()));
  const free = given
    .concat(given)
    .map((_, index) => labelOf(index))
    .filter((label) => !taken.has(label));
  return given.map((label) => label ?? free.shift() ?? '');
}
