/** Writes docs/limits.md from src/limits.ts. `--check` compares instead. */
import path from 'node:path';
import { configTable } from '../src/config.ts';
import { catalogue } from '../src/errors.ts';
import { type Limit, limitGroups, limits } from '../src/limits.ts';
import { writeOrCheck } from './write-or-check.ts';

const variables = configTable.map(({ variable }) => variable);

function row({ of, most, unit, error, variable }: Limit): string {
  // A key or variable that there is not would send the reader nowhere.
  if (error !== undefined && !Object.hasOwn(catalogue, error)) throw new Error(`${of}: no error ${error}`);
  if (variable !== undefined && !variables.includes(variable))
    throw new Error(`${of}: no setting ${variable}`);
  const key = error === undefined ? '' : `\`${error}\``;
  return `| ${of} | ${most.toLocaleString('en')} ${unit === 'size' ? '(size)' : unit} | ${key} | ${variable === undefined ? '' : `\`${variable}\``} |`;
}

const tables = Object.entries(limits).map(
  ([group, entries]) => `## ${limitGroups[group as keyof typeof limits]}

| of | at most | error | setting |
|---|---|---|---|
${Object.values(entries).map(row).join('\n')}
`,
);

await writeOrCheck(
  path.join(import.meta.dirname, '../docs/limits.md'),
  `# Limits

Generated from \`src/limits.ts\`; do not edit.

What is beyond a limit is refused with the error (see [errors.md](errors.md)), which names the field. Where a setting
decides, it is named (see [config.md](config.md)), and the number is its default. The shapes of requests at
\`GET /api/openapi.json\` state the limits of each member; names that are stricter elsewhere (a table of PostgreSQL has 63
bytes) are refused there.

The size of a value without a fixed shape counts the characters of its texts and names, and 20 for each value in it; the
OpenAPI document has it as \`x-max-size\`.

${tables.join('\n')}`,
);
