/** What a command of the line is: its name, what may follow it, and what it does. Help and refusals come from this. */

import { ConfigError } from '../config.ts';

export type Environment = Record<string, string | undefined>;

export interface OptionShape {
  /** What its value is, as the help shows it. Left out: a switch, which takes none. */
  takes?: string;
  many?: true;
  required?: true;
  text: string;
  /** For Tidemark's own processes: it works, and the help leaves it out. */
  internal?: true;
}

export interface WordShape {
  name: string;
  text: string;
}

type Value<Shape extends OptionShape> = Shape extends { takes: string }
  ? Shape extends { many: true }
    ? string[]
    : Shape extends { required: true }
      ? string
      : string | undefined
  : boolean;

export type Options = Record<string, OptionShape>;
export type Values<Shapes extends Options> = { [Name in keyof Shapes]: Value<Shapes[Name]> };

/** What was typed after the name of a command, checked. */
export interface Given {
  options: Record<string, string | string[] | boolean | undefined>;
  words: Record<string, string>;
}

export interface Command {
  /** One word, or two for a command of a group: `events tail`. */
  name: string;
  summary: string;
  /** Lines below the summary in the command's own help. */
  details: readonly string[];
  words: readonly WordShape[];
  options: Options;
  /** @returns the exit code: 0 done, 1 failed. */
  run(given: Given, environment: Environment): Promise<number>;
}

/** A row of the table, with the types of what `run` is given taken from its own options and words. */
export function command<const Shapes extends Options, const Words extends readonly WordShape[]>(
  shape: Omit<Command, 'details' | 'words' | 'options' | 'run'> & {
    details?: readonly string[];
    words?: Words;
    options?: Shapes;
    run(
      given: { options: Values<Shapes>; words: Record<Words[number]['name'], string> },
      environment: Environment,
    ): Promise<number>;
  },
): Command {
  // `readCommand` gives exactly what the shapes promise; TypeScript cannot follow that through the table.
  return { details: [], words: [], options: {}, ...shape } as unknown as Command;
}

/** A value of an option or word that cannot be meant: found out by the command itself. */
export class UsageError extends ConfigError {
  override name = 'UsageError';
}
