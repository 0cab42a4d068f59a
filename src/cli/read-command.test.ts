import { expect, test } from 'vitest';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { help, helpOf } from './help.ts';
import { readCommand } from './read-command.ts';

/** A command line that the command takes: everything that is required, nothing else. */
function complete({ name, words, options }: Command): string[] {
  const required = Object.entries(options).filter(([, { required }]) => required);
  return [
    ...name.split(' '),
    ...words.map((word) => `a-${word.name}`),
    ...required.flatMap(([option, { takes }]) => [`--${option}`, `a-${takes}`]),
  ];
}

const read = (argv: string[]) => readCommand(commands, argv);
const refusal = (argv: string[]) => {
  const reading = read(argv);
  return reading.kind === 'refused' ? reading.reason : `${reading.kind}, not refused`;
};

for (const command of commands) {
  const shown = Object.entries(command.options).filter(([, { internal }]) => !internal);

  test(`${command.name}: --help anywhere asks for help and does nothing else`, () => {
    const argv = complete(command);
    for (const flag of ['--help', '-h']) {
      for (let place = command.name.split(' ').length; place <= argv.length; place++) {
        expect(read(argv.toSpliced(place, 0, flag))).toMatchObject({ kind: 'help', name: command.name });
      }
      expect(read([...argv, '--nonsense', flag])).toMatchObject({ kind: 'help' });
    }
    expect(read(['help', ...command.name.split(' ')])).toMatchObject({ kind: 'help', name: command.name });
    const text = helpOf(command.name, [command]);
    for (const word of command.words) expect(text).toContain(`<${word.name}>`);
    for (const [option, { text: what }] of shown)
      expect(text).toMatch(new RegExp(`--${option}.*${what.slice(0, 20)}`));
    expect(help(commands)).toContain(command.summary);
  });

  test(`${command.name}: what it does not know is refused, with the nearest name`, () => {
    const argv = complete(command);
    expect(read(argv)).toMatchObject({ kind: 'run', command });
    expect(refusal([...argv, '--nonsense'])).toContain(`${command.name} has no option --nonsense.`);
    expect(refusal([...argv, '--nonsense=1'])).toContain('no option --nonsense');
    expect(refusal([...argv, '-x'])).toContain('no option -x');
    expect(refusal([...argv, '--constructor'])).toContain('no option --constructor');
    expect(refusal([...argv, '--dry-run'])).toContain('no option --dry-run');
    expect(refusal([...argv, '--port', '9999'])).toContain('Set TIDEMARK_PORT in the environment instead');
    expect(refusal([...argv, 'more'])).toContain('"more" is one word too many');
    for (const [option] of shown) {
      const misspelled = `--${option.slice(0, -2)}${option.at(-1)}${option.at(-2)}`;
      expect(refusal([...argv, misspelled]), misspelled).toContain(`Did you mean --${option}?`);
    }
  });

  test(`${command.name}: a missing word, value or option is named`, () => {
    const argv = complete(command);
    for (const word of command.words) {
      expect(refusal(argv.filter((one) => one !== `a-${word.name}`))).toContain(`<${word.name}> is missing`);
    }
    for (const [option, { takes, many, required }] of Object.entries(command.options)) {
      if (takes === undefined) {
        expect(refusal([...argv, `--${option}=yes`])).toContain(`--${option} takes no value`);
        continue;
      }
      expect(refusal([...argv, `--${option}`])).toContain(`--${option} takes a value`);
      expect(refusal([...argv, `--${option}=`])).toContain(`--${option} takes a value`);
      expect(refusal([...argv, `--${option}`, '--other'])).toContain('--other is an option');
      const twice = [...argv, `--${option}=1`, `--${option}=2`];
      if (many)
        expect(read(twice)).toMatchObject({ kind: 'run', given: { options: { [option]: ['1', '2'] } } });
      else expect(refusal(twice)).toContain(`--${option} is there twice`);
      if (!required) continue;
      const place = argv.indexOf(`--${option}`);
      expect(refusal(argv.toSpliced(place, 2))).toContain(`--${option} <${takes}> is missing`);
    }
  });
}

test('commands that do not exist are refused, groups say what they hold', () => {
  expect(refusal(['sevre'])).toContain('there is no command sevre. Did you mean serve?');
  expect(refusal(['events'])).toContain('say which. There are "tidemark events tail"');
  expect(refusal(['keys', 'creat', 'admin@localhost'])).toContain('Did you mean create?');
  expect(refusal(['keys', '--org', 'x'])).toContain('say which');
  expect(refusal(['--port', '80', 'serve'])).toContain('--port: name a command first');
  expect(read(['keys', '--help'])).toMatchObject({ kind: 'help', name: 'keys' });
  for (const argv of [[], ['--help'], ['-h'], ['help'], ['--nonsense', '--help']]) {
    expect(read(argv)).toMatchObject({ kind: 'help', about: commands });
  }
  expect(read(['--version'])).toEqual({ kind: 'version' });
});
