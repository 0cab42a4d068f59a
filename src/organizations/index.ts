export { type ApiKey, addApiKey, createApiKey, listApiKeys, revokeApiKey } from './api-keys.ts';
export { bootstrap } from './bootstrap.ts';
export { type Actor, actorOf, authenticate, type Caller, partnerIn, stillThere } from './caller.ts';
export { obfuscationSalt } from './obfuscation-salt.ts';
export {
  createOrganization,
  deleteOrganization,
  getOrganization,
  listOrganizations,
  type Organization,
  updateOrganization,
} from './organizations.ts';
export {
  createUser,
  deleteUser,
  getUser,
  listUsers,
  type User,
  updateUser,
} from './users.ts';
