export { type Bootstrapped, bootstrap } from './bootstrap.ts';
export { type Actor, actorOf, authenticate, type Caller, hashKey } from './caller.ts';
export {
  createOrganization,
  deleteOrganization,
  getOrganization,
  listOrganizations,
  type Organization,
  type OrganizationSettings,
  updateOrganization,
} from './organizations.ts';
export {
  createApiKey,
  createUser,
  deleteUser,
  getUser,
  listUsers,
  type RoleChoice,
  type User,
  updateUser,
} from './users.ts';
