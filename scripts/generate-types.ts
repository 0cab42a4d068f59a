/**
 * Writes docs/types.md: how the types of every connector travel, from the rules that the connectors themselves state.
 * `--check` compares instead and fails on drift.
 */
import path from 'node:path';
import { connectors, type TypeRule } from '../src/connectors/index.ts';
import { writeOrCheck } from './write-or-check.ts';

const target = path.join(import.meta.dirname, '../docs/types.md');

const cell = (text: string) => text.replaceAll('|', '\\|');

const table = (head: [string, string], rules: readonly TypeRule[]) =>
  [
    `| ${head[0]} | ${head[1]} | what may change |`,
    '|---|---|---|',
    ...rules.map(({ type, as, note = '' }) => `| ${cell(type)} | ${cell(as)} | ${cell(note)} |`),
  ].join('\n');

const sections = connectors
  .filter(({ types }) => types !== undefined)
  .map(({ name, types }) =>
    [
      `## ${name}`,
      ...(types?.read ? ['### As a source', table(['its type', 'travels as'], types.read)] : []),
      ...(types?.written ? ['### As a destination', table(['arrives as', 'becomes'], types.written)] : []),
    ].join('\n\n'),
  );

const page = `# Types

<!-- Made by "npm run generate" from the connectors: do not edit. -->

Values travel as PostgreSQL types, in PostgreSQL's own text or binary form, whatever the systems at both ends. A source
says which PostgreSQL type carries each of its types, a destination what it makes of it. What arrives is equal to what
was read. Where a type cannot hold a value, a stated rule decides what becomes of it, and the execution counts how
many values of which column the rule changed: in the console log, in the \`warnings\` record log and in
\`warning_count\`.

${sections.join('\n\n')}
`;

await writeOrCheck(target, page);
