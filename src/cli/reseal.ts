import { readConfig } from '../config.ts';
import { openDatabase } from '../db/index.ts';
import { encryptionKeys, openDataDirectory, requireEncryptionKeys, reseal } from '../host/index.ts';
import { KeyRing } from '../lib/seal.ts';
import { command } from './command.ts';
import { databaseUrlOf, namingDatabase } from './database.ts';

export const resealKeys = command({
  name: 'keys reseal',
  summary: 'Seals stored secrets with the first key of TIDEMARK_ENCRYPTION_KEY, so that the others can go.',
  details: [
    'Start every server and worker with TIDEMARK_ENCRYPTION_KEY=new,old first; they may run meanwhile.',
    'Killed at any moment, it goes on when it is run again.',
  ],
  async run(_, environment) {
    const config = readConfig(environment);
    return namingDatabase(config, async () => {
      const { keys, ...origin } = await encryptionKeys(config, await openDataDirectory(config.dataDir));
      const keyRing = new KeyRing(keys);
      const database = openDatabase(await databaseUrlOf(config), 2);
      try {
        await requireEncryptionKeys(database.db, keyRing, origin);
        const { resealed, unreadable } = await reseal(database.db, keyRing);
        console.log(`Secrets sealed with the first key now: ${resealed}.`);
        if (unreadable === 0) return 0;
        console.error(
          `Secrets that no key opens: ${unreadable}. GET /api/connections names those of connections.`,
        );
        return 1;
      } finally {
        await database.close();
      }
    });
  },
});
