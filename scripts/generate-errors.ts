/** Writes docs/errors.md from the catalogue in src/errors.ts. `--check` compares instead. */
import path from 'node:path';
import { catalogue } from '../src/errors.ts';
import { writeOrCheck } from './write-or-check.ts';

const rows = Object.entries(catalogue).map(
  ([key, { status, text, remedy }]) => `| \`${key}\` | ${status} | ${text} | ${remedy} |`,
);

await writeOrCheck(
  path.join(import.meta.dirname, '../docs/errors.md'),
  `# Errors

Generated from \`src/errors.ts\`; do not edit.

Every error of the API is \`{"key", "message", "metadata", "status"}\`. Keys are stable: switch on them, not on the text.
What stands in braces is in \`metadata\`.

| key | status | what happened | what to do |
|---|---|---|---|
${rows.join('\n')}
`,
);
