import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from './program.ts';

const manifest = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as {
  version: string;
};

export const version = manifest.version;
export const userAgent = `Tidemark/${version}`;
