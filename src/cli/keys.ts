import { readConfig } from '../config.ts';
import { openDatabase } from '../db/index.ts';
import { createApiKey, listOrganizations, listUsers } from '../organizations/index.ts';
import { databaseUrlOf } from './database.ts';
import type { Environment } from './index.ts';

/** `tidemark keys` lists users; `tidemark keys create <e-mail>` replaces that user's key and prints it once. */
export async function keys(
  [action = 'list', email = '']: string[],
  environment: Environment,
): Promise<number> {
  const database = openDatabase(await databaseUrlOf(readConfig(environment)), 2);
  try {
    const organizations = await listOrganizations(database.db);
    const users = await Promise.all(organizations.map(({ id }) => listUsers(database.db, id)));
    if (action === 'list') {
      for (const [index, organization] of organizations.entries()) {
        for (const user of users[index] ?? []) {
          console.log(`${user.email}\t${user.role}\t${organization.name}\t${organization.id}`);
        }
      }
      return 0;
    }
    const user = users.flat().find((one) => one.email === email.toLowerCase());
    if (action !== 'create' || user === undefined) {
      console.error('tidemark keys: use "keys" or "keys create <e-mail>", with the e-mail of a listed user');
      return 2;
    }
    console.log(await createApiKey(database.db, user.organization_id, user.id, true));
    return 0;
  } finally {
    await database.close();
  }
}
