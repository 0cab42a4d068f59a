import { configTable } from '../config.ts';
import { version } from '../lib/version.ts';
import type { Command } from './command.ts';

/** The help of everything: every command in a line, then every setting. */
export function help(commands: readonly Command[]): string {
  const variables = configTable.map((setting) => {
    const fallback =
      setting.default === undefined || setting.default === '' ? '' : ` Default: ${setting.default}.`;
    const file = setting.secret ? ` ${setting.variable}_FILE names a file that holds it.` : '';
    return `  ${setting.variable}\n      ${setting.description}\n      Takes ${setting.takes}.${fallback}${file}`;
  });
  return `Tidemark ${version}: a self-hosted data-sync server.

Usage: tidemark <command> [options]

${list(commands)}

"tidemark <command> --help" says what a command takes. Exit codes: 0 done, 1 failed, 2 not understood.

Environment:
${variables.join('\n')}
`;
}

/** The help of one command, or of a group of them. */
export function helpOf(name: string, about: readonly Command[]): string {
  const [only] = about;
  if (only === undefined || only.name !== name)
    return `Usage: tidemark ${name} <command>\n\n${list(about)}\n`;
  const options = shownOptions(only);
  const words = only.words.map((word) => `<${word.name}>`);
  const required = options.flatMap(([option, shape]) => (shape.required ? [`${option}`] : []));
  const usage = ['tidemark', name, ...words, ...required, '[options]'].join(' ');
  const rows = [
    ...only.words.map(({ name: word, text }) => [`<${word}>`, text] as const),
    ...options.map(([option, { text, many }]) => [option, many ? `${text} May be repeated.` : text] as const),
    ['--help', 'Shows this, and does nothing else.'] as const,
  ];
  return `${[only.summary, ...only.details].join('\n')}

Usage: ${usage}

${table(rows)}

Settings come from the environment: "tidemark --help" and docs/config.md list them.
`;
}

function shownOptions({ options }: Command) {
  return Object.entries(options).flatMap(([name, shape]) =>
    shape.internal
      ? []
      : [[shape.takes === undefined ? `--${name}` : `--${name} <${shape.takes}>`, shape] as const],
  );
}

function list(commands: readonly Command[]): string {
  return table(commands.map(({ name, summary }) => [name, summary]));
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
