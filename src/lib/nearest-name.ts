/**
 * The name that was probably meant: the nearest of those that exist, if no more than a third of its letters would have
 * to be typed, left out or swapped.
 */
export function nearestName(given: string, names: Iterable<string>): string | undefined {
  const word = given.toLowerCase();
  let nearest: { name: string; distance: number } | undefined;
  for (const name of names) {
    const distance = distanceOf(word, name.toLowerCase());
    if (distance > Math.max(1, Math.floor(name.length / 3))) continue;
    if (nearest === undefined || distance < nearest.distance) nearest = { name, distance };
  }
  return nearest?.name;
}

/** Ready to follow a sentence: ` Did you mean --since?`, or nothing. */
export function didYouMean(given: string, names: Iterable<string>): string {
  const name = nearestName(given, names);
  return name === undefined ? '' : ` Did you mean ${name}?`;
}

/** Letters to insert, delete, replace or swap with their neighbour (the restricted Damerau distance). */
function distanceOf(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const at = (line: number[], place: number) => line[place] ?? 0;
      let cost = Math.min(
        at(above, column) + 1,
        at(current, column - 1) + 1,
        at(above, column - 1) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, at(before, column - 2) + 1);
      current.push(cost);
    }
    before = above;
    above = current;
  }
  return above[to.length] ?? 0;
}
