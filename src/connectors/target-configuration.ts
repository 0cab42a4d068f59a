import { Type } from 'typebox';
import { withoutEffect } from '../schema/unread.ts';

/** `target.configuration` of a model sync into a table of a database. */
export const tableTargetConfiguration = Type.Object({
  preserve_table_on_resync: withoutEffect('a resync never drops the table'),
});
