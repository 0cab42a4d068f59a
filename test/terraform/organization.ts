import { computed, given, kept, type Values } from './plan.ts';
import { type Answered, omitEmpty, orNull, orZero, type Resource, there } from './resource.ts';

/** `polytomic_organization`, with the partner's key. */
export const organization: Resource = {
  shape: { id: kept, name: given, sso_domain: given, sso_org_id: given, issuer: computed },
  async create(send, { configuration }) {
    const answer = await send('POST', '/api/organizations', organizationRequest(configuration));
    const { data } = there(answer);
    return { ...configuration, id: data.id, issuer: orNull(data.issuer) };
  },
  async read(send, state) {
    const answer = await send('GET', `/api/organizations/${state.id}`);
    return answer && organizationOf(answer);
  },
  async update(send, { plan, state }) {
    const answer = await send('PUT', `/api/organizations/${state.id}`, organizationRequest(plan));
    const { data } = there(answer);
    return { ...plan, id: state.id, name: data.name, issuer: orNull(data.issuer) };
  },
  delete: (send, state) => send('DELETE', `/api/organizations/${state.id}`),
};

const organizationRequest = ({ name, sso_domain, sso_org_id }: Values) =>
  omitEmpty({ name, sso_domain, sso_org_id });

function organizationOf({ data }: Answered): Values {
  const [domain, id, issuer] = [data.sso_domain, data.sso_org_id, data.issuer].map(orNull);
  return { id: data.id, name: data.name, sso_domain: domain, sso_org_id: id, issuer };
}

/** `polytomic_user`, with the partner's key in its organization. */
export const user: Resource = {
  shape: { id: kept, organization: given, email: given, role: computed, role_ids: kept },
  async create(send, { configuration }) {
    const { organization: owner, email, role } = configuration;
    const answer = await send('POST', `/api/organizations/${owner}/users`, omitEmpty({ email, role }));
    const { data } = there(answer);
    return { ...configuration, id: data.id, role_ids: data.role_ids };
  },
  async read(send, state) {
    const answer = await send('GET', pathOf(state));
    return answer && userOf(answer, state);
  },
  async update(send, { plan, state }) {
    const role = orZero(plan.role, '');
    const answer = await send('PUT', pathOf(state), omitEmpty({ email: plan.email, role }));
    return userOf(there(answer), { ...plan, role });
  },
  delete: (send, state) => send('DELETE', pathOf(state)),
  // Answered in lower case.
  unreadable: ['email'],
  imported: ({ organization: owner, id }) => ({ organization: owner, id }),
};

const pathOf = ({ organization: owner, id }: Values) => `/api/organizations/${owner}/users/${id}`;

/** Upper and lower case of an address and a role are the same. */
function userOf({ data }: Answered, known: Values): Values {
  const alike = (name: string) =>
    String(known[name] ?? '').toLowerCase() === String(data[name]).toLowerCase() ? known[name] : data[name];
  return {
    id: data.id,
    organization: data.organization_id,
    email: alike('email'),
    role: alike('role'),
    role_ids: data.role_ids,
  };
}
