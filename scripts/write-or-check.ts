import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Writes a generated file, or with `--check` fails when the committed one differs. */
export async function writeOrCheck(file: string, content: string): Promise<void> {
  if (!process.argv.includes('--check')) return writeFile(file, content);
  const committed = await readFile(file, 'utf8').catch(() => '');
  if (committed === content) return;
  console.error(`${path.relative(process.cwd(), file)} is out of date: run "npm run generate" and commit it`);
  process.exitCode = 1;
}
