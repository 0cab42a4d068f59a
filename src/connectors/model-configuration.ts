import { Type } from 'typebox';
import { refused, withoutEffect } from '../schema/unread.ts';

const read = Type.Optional(Type.Unknown());
const tracking_columns = withoutEffect(
  'they stand beside the configuration, as tracking_columns of the model',
);

/** `configuration` of a model of a database; its values are checked where they are used. */
export const databaseModelConfiguration = Type.Object({
  table: read,
  view: read,
  query: read,
  tracking_columns,
});

/** Of a model of files. */
export const fileModelConfiguration = Type.Object({
  table: read,
  view: refused('files have no views: name a table'),
  query: refused('files are read whole: leave records out by filters of the sync'),
  tracking_columns,
});
