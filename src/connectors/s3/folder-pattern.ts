import { wildcards } from '../../conditions/index.ts';

/**
 * The folder that a path begins with and a pattern matches: `*` stands for one part of a path, `**` for any number,
 * `?` for one character. Not a regular expression: one with many wildcards may take longer than anybody can wait.
 */
export function folderPattern(glob: string): (path: string) => string | undefined {
  const split = glob.split('/');
  const said = (part: string) => part !== '';
  const parts = split
    .slice(split.findIndex(said), split.findLastIndex(said) + 1)
    .map((part) => (part === '**' ? undefined : wildcards(likePattern(part))));
  return (path) => {
    const folders = path.split('/');
    // The numbers of parts that what is before a folder may have matched.
    let matched = new Set([0]);
    for (const [index, folder] of folders.slice(0, -1).entries()) {
      const next = new Set<number>();
      for (const at of matched) {
        const fits = parts[at];
        if (fits === undefined ? folder !== '' : fits(folder)) next.add(at + 1);
        if (fits === undefined && folder !== '') next.add(at);
      }
      if (next.has(parts.length)) return folders.slice(0, index + 1).join('/');
      matched = next;
    }
    return undefined;
  };
}

function likePattern(part: string): string {
  return part.replaceAll(/[!%_]/g, '!$&').replaceAll(/\*+/g, '%').replaceAll('?', '_');
}
