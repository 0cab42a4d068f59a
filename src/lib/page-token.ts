/** Opaque to clients: the parts of a keyset position. */
export function encodePageToken(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** The parts, or undefined for anything that is not a token of so many parts. */
export function decodePageToken(token: string, count: number): string[] | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    const valid =
      Array.isArray(parts) && parts.length === count && parts.every((part) => typeof part === 'string');
    return valid ? parts : undefined;
  } catch {
    return undefined;
  }
}
