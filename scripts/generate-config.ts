/** Writes docs/config.md from the table in src/config.ts. `--check` compares instead. */
import path from 'node:path';
import { configTable } from '../src/config.ts';
import { writeOrCheck } from './write-or-check.ts';

const rows = configTable.map((setting) => {
  const fallback = setting.default === undefined || setting.default === '' ? '' : `\`${setting.default}\``;
  const description = `${setting.description}${setting.secret ? ' Secret: never logged or returned.' : ''}`;
  return `| \`${setting.variable}\` | ${setting.takes} | ${fallback} | ${description} |`;
});

await writeOrCheck(
  path.join(import.meta.dirname, '../docs/config.md'),
  `# Configuration

Generated from \`src/config.ts\`; do not edit.

Tidemark is configured by environment variables. An empty one counts as not set; a wrong one stops the start with a
message that names it and what it takes. A \`TIDEMARK_\` variable that is no setting is named in a warning.

A secret can also come in a file: its variable with \`_FILE\` at the end, such as \`TIDEMARK_ENCRYPTION_KEY_FILE\`, takes
the file's path. White space around the content is left out. Setting both stops the start.

| variable | takes | default | |
|---|---|---|---|
${rows.join('\n')}
`,
);
