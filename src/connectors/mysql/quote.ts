/** A name as an identifier, whatever is in it. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** `database.table`, as an identifier. */
export function qualified(database: string, table: string): string {
  return `${identifier(database)}.${identifier(table)}`;
}

/** A string literal. Every session reads backslashes as escapes: its sql_mode is ours. */
export function literal(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&').replaceAll('\0', '\\0')}'`;
}
