import { readConfig } from '../config.ts';
import { migrate } from '../db/index.ts';
import { command } from './command.ts';
import { databaseUrlOf, namingDatabase } from './database.ts';

export const migrateCommand = command({
  name: 'migrate',
  summary: 'Brings the database up to date and exits; serve does so too.',
  details: [
    'For deployments that change the schema in a step of its own. There is no way back but a backup.',
  ],
  async run(_given, environment) {
    const config = readConfig(environment);
    await namingDatabase(config, async () => migrate(await databaseUrlOf(config)));
    console.log('The database is up to date.');
    return 0;
  },
});
