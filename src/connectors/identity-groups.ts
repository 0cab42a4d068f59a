/**
 * Groups of identities that a target takes for one, from rows in the order of their groups.
 *
 * @param next rows; none when there are no more.
 */
export async function* eachGroup(
  next: () => Promise<readonly { key: string; group: string }[]>,
): AsyncGenerator<string[]> {
  let current: string | undefined;
  let keys = new Set<string>();
  for (let rows = await next(); rows.length > 0; rows = await next()) {
    for (const { key, group } of rows) {
      if (group !== current) {
        if (keys.size > 1) yield [...keys];
        current = group;
        keys = new Set();
      }
      keys.add(key);
    }
  }
  if (keys.size > 1) yield [...keys];
}
