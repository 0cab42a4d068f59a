import { invalidField } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Condition, Expression } from './expression.ts';
import { shown } from './shown.ts';

const { most: longest } = limits.texts.logic;
const mostUses = 200;
const deepest = 50;

interface Token {
  text: string;
  /** Counted from 1, for people. */
  position: number;
}

/**
 * Reads what combines labelled conditions: `A AND (B OR NOT C)`, where the numbers 1, 2, … stand for the
 * conditions in their order. NOT binds closest, then AND, then OR; case does not matter. No text: all of them.
 *
 * @throws invalid_field for text that is no logic, an unknown label, and a condition that is not used.
 */
export function parseLogic(
  text: string,
  conditions: readonly { label: string; condition: Condition }[],
  place: string,
): Expression | undefined {
  if (text.trim() === '') {
    if (conditions.length === 0) return undefined;
    return combine(
      'and',
      conditions.map(({ condition }) => condition),
    );
  }
  if (text.length > longest) throw invalidField(place, `is longer than ${longest} characters`);
  const tokens = tokenize(text, place);
  const used = new Set<string>();
  let next = 0;
  let uses = 0;
  let depth = 0;

  const fault = (expected: string): Error => {
    const token = tokens[next];
    const found = token === undefined ? 'the end' : shown(token.text);
    const position = token?.position ?? text.length + 1;
    return invalidField(place, `character ${position}: ${expected} is expected, found ${found}`);
  };
  const take = (word: string): boolean => {
    if (tokens[next]?.text.toUpperCase() !== word) return false;
    next++;
    return true;
  };
  const chain = (word: 'and' | 'or', part: () => Expression): Expression => {
    const parts = [part()];
    while (take(word.toUpperCase())) parts.push(part());
    return combine(word, parts);
  };
  const either = (): Expression => chain('or', () => chain('and', single));
  const single = (): Expression => {
    if (++depth > deepest) throw invalidField(place, `is nested more than ${deepest} deep`);
    const expression = take('NOT') ? { not: single() } : take('(') ? inBrackets() : labelled();
    depth--;
    return expression;
  };
  const inBrackets = (): Expression => {
    const expression = either();
    if (!take(')')) throw fault('AND, OR or )');
    return expression;
  };
  /** A position, or a label in another case that could only be meant for one. */
  const alike = (text: string) => {
    const [one, ...others] = conditions.filter(
      ({ label }, index) => String(index + 1) === text || label.toUpperCase() === text.toUpperCase(),
    );
    return others.length === 0 ? one : undefined;
  };
  const labelled = (): Expression => {
    const token = tokens[next];
    if (token === undefined || /^([()]|and|or)$/i.test(token.text))
      throw fault('the label of a filter, NOT or (');
    const found = conditions.find(({ label }) => label === token.text) ?? alike(token.text);
    if (found === undefined) {
      const known = conditions.map(({ label }) => label).join(', ') || 'none';
      throw invalidField(
        place,
        `character ${token.position}: there is no filter ${token.text}; there are ${known}`,
      );
    }
    if (++uses > mostUses) throw invalidField(place, `names filters more than ${mostUses} times`);
    used.add(found.label);
    next++;
    return found.condition;
  };

  const expression = either();
  if (next < tokens.length) throw fault('AND, OR or the end');
  const unused = conditions.find(({ label }) => !used.has(label));
  if (unused !== undefined) {
    throw invalidField(place, `does not use filter ${unused.label}; name it, or leave the filter out`);
  }
  return expression;
}

function combine(word: 'and' | 'or', parts: Expression[]): Expression {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  return word === 'and' ? { and: parts } : { or: parts };
}

function tokenize(text: string, place: string): Token[] {
  return [...text.matchAll(/[()]|[a-z_][a-z\d_]*|\d+|\S/gi)].map(({ 0: token, index }) => {
    const position = index + 1;
    if (/^[^()a-z\d_]$/i.test(token)) {
      throw invalidField(
        place,
        `character ${position}: ${shown(token)} is no label, AND, OR, NOT or bracket`,
      );
    }
    return { text: token, position };
  });
}
