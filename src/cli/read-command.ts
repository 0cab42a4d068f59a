import { parseArgs } from 'node:util';
import { configTable } from '../config.ts';
import { didYouMean } from '../lib/near-name.ts';
import type { Command, Given, OptionShape } from './command.ts';

/** What a command line asks for. Whatever it is, reading it does nothing. */
export type Reading =
  | { kind: 'run'; command: Command; given: Given }
  /** Of one command, of a group, or of all. */
  | { kind: 'help'; about: readonly Command[]; name?: string }
  | { kind: 'version' }
  | { kind: 'refused'; name?: string; reason: string };

/**
 * Reads argv against the table. What the command does not know is refused with the nearest name, and `--help` anywhere
 * asks for help, so that nobody finds out what a command does by its effect.
 */
export function readCommand(commands: readonly Command[], argv: readonly string[]): Reading {
  const [first, ...others] = argv;
  if (first === undefined) return { kind: 'help', about: commands };
  if (first === 'help') return { ...find(commands, others), kind: 'help' };
  const wantsHelp = asksForHelp(argv);
  if (first === '--version' || first === '-v') return { kind: 'version' };
  if (first.startsWith('-')) {
    if (wantsHelp) return { kind: 'help', about: commands };
    return { kind: 'refused', reason: `${first}: name a command first. "tidemark --help" lists them.` };
  }
  const { about, rest, name } = find(commands, argv);
  const [found] = about;
  if (wantsHelp) return { kind: 'help', about, ...(name === undefined ? {} : { name }) };
  if (name === undefined) {
    const known = commands.map((one) => one.name.split(' ')[0] ?? '');
    return {
      kind: 'refused',
      reason: `there is no command ${first}.${didYouMean(first, known)} "tidemark --help" lists them.`,
    };
  }
  if (found === undefined || found.name !== name) return refuseGroup(about, name, rest);
  const given = readGiven(found, rest);
  return typeof given === 'string'
    ? { kind: 'refused', name, reason: `${given} "tidemark ${name} --help" says what it takes.` }
    : { kind: 'run', command: found, given };
}

/** Also where an option's value would be: no value is worth an effect that was not asked for. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? undefined : end).some((word) => word === '--help' || word === '-h');
}

/** The command, or the commands of the group, that the first words name; all of them where they name none. */
function find(commands: readonly Command[], words: readonly string[]) {
  const two = commands.find(({ name }) => name === words.slice(0, 2).join(' '));
  if (two?.name.includes(' ')) return { about: [two], name: two.name, rest: words.slice(2) };
  const one = commands.find(({ name }) => name === words[0]);
  if (one !== undefined) return { about: [one], name: one.name, rest: words.slice(1) };
  const group = commands.filter(({ name }) => name.startsWith(`${words[0]} `));
  return group.length > 0
    ? { about: group, name: words[0], rest: words.slice(1) }
    : { about: commands, name: undefined, rest: words };
}

function refuseGroup(group: readonly Command[], name: string, [next = '']: readonly string[]): Reading {
  const known = group.map((one) => one.name.slice(name.length + 1));
  const hint = next === '' || next.startsWith('-') ? '' : didYouMean(next, known);
  const which = next === '' || next.startsWith('-') ? 'say which' : `there is no "${name} ${next}"`;
  const list = group.map((one) => `"tidemark ${one.name}"`).join(', ');
  return { kind: 'refused', name, reason: `${which}.${hint} There are ${list}.` };
}

/** @returns what was given, or why it is refused. */
function readGiven(command: Command, args: readonly string[]): Given | string {
  const { options, words } = command;
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { takes }]) => [
        name,
        { type: takes === undefined ? ('boolean' as const) : ('string' as const), multiple: true },
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const values: Given['options'] = {};
  for (const [name, { takes, many }] of Object.entries(options)) {
    values[name] = takes === undefined ? false : many ? [] : undefined;
  }
  const typed: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') typed.push(token.value);
    if (token.kind !== 'option') continue;
    const shape = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (shape === undefined) return unknownOption(command, token);
    const fault = optionFault(token, shape, values[token.name]);
    if (fault !== undefined) return fault;
    const before = values[token.name];
    values[token.name] = Array.isArray(before) ? [...before, token.value ?? ''] : (token.value ?? true);
  }
  for (const [name, { takes, required }] of Object.entries(options)) {
    if (required && values[name] === undefined) return `--${name} <${takes}> is missing.`;
  }
  const missing = words[typed.length];
  if (missing !== undefined) return `<${missing.name}> is missing: ${missing.text}.`;
  const extra = typed[words.length];
  if (extra !== undefined) return `${JSON.stringify(extra)} is one word too many.`;
  const named = words.map(({ name }, index) => [name, typed[index] ?? '']);
  return { options: values, words: Object.fromEntries(named) as Given['words'] };
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function optionFault(
  { rawName, value, inlineValue }: OptionToken,
  { takes, many }: OptionShape,
  before: Given['options'][string],
): string | undefined {
  if (takes === undefined) return value === undefined ? undefined : `${rawName} takes no value.`;
  if (value === undefined || value === '') return `${rawName} takes a value: ${rawName} <${takes}>.`;
  if (!inlineValue && value.startsWith('-')) {
    return `${rawName} takes a value, and ${value} is an option. If it is the value, write ${rawName}=${value}.`;
  }
  return many || before === undefined ? undefined : `${rawName} is there twice.`;
}

function unknownOption({ name: command, options }: Command, { name, rawName }: OptionToken): string {
  const shown = Object.entries(options).flatMap(([key, { internal }]) => (internal ? [] : [`--${key}`]));
  const hint = didYouMean(`--${name}`, [...shown, '--help']);
  // Whoever types --port means a setting.
  const variable = `TIDEMARK_${name.toUpperCase().replaceAll('-', '_')}`;
  const setting = configTable.some((one) => one.variable === variable)
    ? ` Set ${variable} in the environment instead.`
    : '';
  return `${command} has no option ${rawName}.${setting || hint}`;
}
