import { readConfig } from '../config.ts';
import { type Database, openDatabase } from '../db/index.ts';
import { didYouMean } from '../lib/near-name.ts';
import {
  type ApiKey,
  addApiKey,
  listApiKeys,
  listOrganizations,
  listUsers,
  type Organization,
  revokeApiKey,
  type User,
} from '../organizations/index.ts';
import { command, type Environment, UsageError } from './command.ts';
import { databaseUrlOf, namingDatabase } from './database.ts';
import { checkTime } from './events/options.ts';
import { printable } from './printable.ts';

const org = { takes: 'organization', text: 'Only in this organization: its name or its id.' } as const;

export const listKeys = command({
  name: 'keys list',
  summary: 'Lists users and their API keys: when each was made and how it is called, not the key.',
  options: { org },
  run: ({ options }, environment) =>
    withPeople(environment, options.org, async (db, people) => {
      const keys = await listApiKeys(
        db,
        people.map(({ user }) => user.id),
      );
      for (const person of people) {
        const own = keys.filter(({ userId }) => userId === person.user.id);
        for (const key of own.length === 0 ? [undefined] : own) console.log(row(person, key));
      }
    }),
});

export const createKey = command({
  name: 'keys create',
  summary: 'Adds an API key to those of a user and prints it, once. The others go on working.',
  words: [{ name: 'e-mail', text: 'The user, as "tidemark keys list" has it' }],
  options: {
    name: { takes: 'name', text: 'What the key is for, to know it by later.' },
    expires: { takes: 'time', text: 'From this RFC 3339 time on it opens nothing.' },
    org,
  },
  run: ({ options, words }, environment) =>
    withPeople(environment, options.org, async (db, people) => {
      const { user } = choose(people, words['e-mail']);
      checkTime('--expires', options.expires);
      const others = (await listApiKeys(db, [user.id])).length;
      const { organization_id: organizationId, id: userId } = user;
      const { id, key } = await addApiKey(db, {
        organizationId,
        userId,
        name: options.name,
        expiresAt: options.expires,
      });
      console.log(key);
      const rest = others === 0 ? '' : ` The user’s other keys (${others}) go on working.`;
      console.error(
        `Key ${id} of ${user.email} is shown this once.${rest} Revoke it: tidemark keys revoke ${id}`,
      );
    }),
});

export const revokeKey = command({
  name: 'keys revoke',
  summary: 'Takes an API key back: from then on it opens nothing.',
  details: [
    'That of TIDEMARK_API_KEY works again after the next start of a server that has it set; set another to replace it.',
  ],
  words: [{ name: 'key-id', text: 'The id of the key, as "tidemark keys list" has it' }],
  run: ({ words }, environment) =>
    withPeople(environment, undefined, async (db) => {
      await revokeApiKey(db, words['key-id']);
      console.log(`Key ${words['key-id']} is revoked.`);
    }),
});

interface Person {
  user: User;
  organization: Organization;
}

async function withPeople(
  environment: Environment,
  wanted: string | undefined,
  use: (db: Database, people: Person[]) => Promise<void>,
): Promise<number> {
  const config = readConfig(environment);
  return namingDatabase(config, async () => {
    const database = openDatabase(await databaseUrlOf(config), 2);
    try {
      const all = await listOrganizations(database.db);
      const chosen =
        wanted === undefined ? all : all.filter(({ id, name }) => wanted === name || wanted === id);
      if (chosen.length === 0 && wanted !== undefined) {
        const names = all.map(({ name }) => name);
        throw new UsageError(`--org: there is no organization ${wanted}.${didYouMean(wanted, names)}`);
      }
      const people = await Promise.all(
        chosen.map(async (organization) =>
          (await listUsers(database.db, organization.id)).map((user) => ({ user, organization })),
        ),
      );
      await use(database.db, people.flat());
      return 0;
    } finally {
      await database.close();
    }
  });
}

/** @throws UsageError when no user has the address, or users of several organizations do. */
function choose(people: readonly Person[], email: string): Person {
  const [only, ...more] = people.filter(({ user }) => user.email === email.toLowerCase());
  if (only === undefined) {
    const emails = people.map(({ user }) => user.email);
    throw new UsageError(
      `there is no user ${email}.${didYouMean(email, emails)} "tidemark keys list" lists them.`,
    );
  }
  if (more.length === 0) return only;
  const places = [only, ...more].map(({ organization: { id, name } }) => `${name} (${id})`);
  throw new UsageError(
    `${email} is a user of ${places.length} organizations: ${places.join(', ')}. Say which with --org.`,
  );
}

function row({ user, organization }: Person, key: ApiKey | undefined): string {
  const { email, role } = user;
  const shown =
    key === undefined
      ? ['no key']
      : [
          key.id,
          key.createdAt,
          key.name ?? '',
          ...(key.expiresAt === null ? [] : [`until ${key.expiresAt}`]),
        ];
  return [email, role, organization.name, organization.id, ...shown].map(printable).join('\t');
}
