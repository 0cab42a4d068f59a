/**
 * The id of a table of an SQL system: `schema.table`, both as they are. A schema whose name has a dot in it, or begins with a
 * quotation mark, stands in quotation marks, so that no two tables have the same id: `"a.b".c` and `a.b.c`, which is table
 * `b.c` of schema `a`. What has no dot at all is a table without a schema.
 */
export function tableId(schema: string, table: string): string {
  const plain = !schema.includes('.') && !schema.startsWith('"');
  return `${plain ? schema : `"${schema.replaceAll('"', '""')}"`}.${table}`;
}

/** @returns the schema, empty where the id names none, and the table. */
export function splitTableId(id: string): [schema: string, table: string] {
  const quoted = /^"((?:[^"]|"")*)"\.([\s\S]+)$/.exec(id);
  if (quoted !== null) {
    const [, schema = '', table = ''] = quoted;
    return [schema.replaceAll('""', '"'), table];
  }
  const dot = id.indexOf('.');
  return dot < 0 ? ['', id] : [id.slice(0, dot), id.slice(dot + 1)];
}
