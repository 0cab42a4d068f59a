import { duckdb } from '../../lib/sql-quoting.ts';

export const { identifier, literal } = duckdb;
