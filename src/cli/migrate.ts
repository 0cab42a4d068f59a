import { readConfig } from '../config.ts';
import { migrate } from '../db/index.ts';
import { databaseUrlOf } from './database.ts';
import type { Environment } from './index.ts';

/** `tidemark migrate`: for deployments that change the schema in a step of its own. */
export async function migrateCommand(_args: string[], environment: Environment): Promise<number> {
  await migrate(await databaseUrlOf(readConfig(environment)));
  console.log('The database is up to date.');
  return 0;
}
