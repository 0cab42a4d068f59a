import { invalidField } from '../errors.ts';

/** How many conditions one expression may be made of. */
export const mostConditions = 100;

const keywords = ['AND', 'OR', 'NOT'];

/** The label of the nth condition: A to Z, then AA, AB, … */
export function labelOf(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : labelOf(Math.floor(index / 26) - 1) + letter;
}

/**
 * Gives every condition a label: its own, if the request has one, else the next that is free.
 *
 * @throws invalid_field for a label that is no letters, a word of the logic, or taken.
 */
export function assignLabels(given: readonly (string | undefined)[], place: string): string[] {
  if (given.length > mostConditions) throw invalidField(place, `has more than ${mostConditions} filters`);
  const labels = given.map((label) => label?.toUpperCase());
  for (const [index, label] of labels.entries()) {
    if (label === undefined) continue;
    const at = `${place}.${index}.label`;
    if (!/^[A-Z]{1,3}$/.test(label) || keywords.includes(label)) {
      throw invalidField(
        at,
        'is one to three letters other than AND, OR and NOT; left out, the next free one is given',
      );
    }
    if (labels.indexOf(label) !== index) throw invalidField(at, `${label} is the label of another filter`);
  }
  const free = given
    .concat(given)
    .map((_, index) => labelOf(index))
    .filter((label) => !labels.includes(label));
  return labels.map((label) => label ?? free.shift() ?? '');
}
