import { postgresql } from '../../lib/sql-quoting.ts';

export const { identifier, literal } = postgresql;
