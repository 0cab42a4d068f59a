import { describe } from 'vitest';
import { identityCases } from '../../test/support/identity-cases.ts';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { duckdbTarget, mariadbTarget, postgresqlTarget } from '../../test/support/model-targets.ts';

describe('PostgreSQL', () => identityCases(postgresqlTarget));
describeMariadb('MariaDB', () => identityCases(mariadbTarget));
describe('DuckDB', () => identityCases(duckdbTarget));
