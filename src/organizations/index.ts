export { bootstrap } from './bootstrap.ts';
export { type Actor, actorOf, authenticate, type Caller } from './caller.ts';
export { obfuscationSalt } from './obfuscation-salt.ts';
export {
  createOrganization,
  deleteOrganization,
  getOrganization,
  listOrganizations,
  updateOrganization,
} from './organizations.ts';
export {
  createApiKey,
  createUser,
  deleteUser,
  getUser,
  listUsers,
  updateUser,
} from './users.ts';
