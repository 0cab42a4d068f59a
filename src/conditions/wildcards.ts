type Token = string | typeof any | typeof one;
const any = Symbol('%');
const one = Symbol('_');

/**
 * Whether texts match a pattern with the wildcards % and _, in which `!` takes the next character as it is. Not a
 * regular expression: one with many wildcards may take longer than anybody can wait.
 */
export function wildcards(pattern: string): (text: string) => boolean {
  const tokens = [...pattern.matchAll(/!(.)|(.)/gsu)].map(([, taken, plain = '']): Token => {
    if (taken !== undefined) return taken;
    return plain === '%' ? any : plain === '_' ? one : plain;
  });
  return (text) => matches(tokens, [...text]);
}

function matches(tokens: readonly Token[], characters: readonly string[]): boolean {
  let [token, character] = [0, 0];
  // Where to go on from when it does not fit: behind the last %, with one more character given to it.
  let [resumeToken, resumeCharacter] = [-1, 0];
  while (character < characters.length) {
    if (tokens[token] === any) {
      [resumeToken, resumeCharacter] = [++token, character];
    } else if (tokens[token] === one || tokens[token] === characters[character]) {
      token++;
      character++;
    } else if (resumeToken >= 0) {
      [token, character] = [resumeToken, ++resumeCharacter];
    } else {
      return false;
    }
  }
  while (tokens[token] === any) token++;
  return token === tokens.length;
}
