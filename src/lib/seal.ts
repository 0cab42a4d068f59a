import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';

const nonceLength = 12;
const tagLength = 16;
const keyIdLength = 4;

/** A sealed value that no key opens. The message says which key it takes. */
export class SealUnreadable extends Error {
  override name = 'SealUnreadable';
}

/**
 * Seals secrets at rest with AES-256-GCM. The first key seals, every key opens: rotate by putting a new
 * key in front. A sealed value is key id (4 bytes of its SHA-256) ‖ nonce (12) ‖ tag (16) ‖ ciphertext.
 */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #current: string;

  /** @param keys 32-byte keys, newest first. */
  constructor(keys: readonly Buffer[]) {
    const entries = keys.map((key) => [keyId(key), key] as const);
    const first = entries[0];
    if (first === undefined) throw new Error('a key ring needs at least one key');
    this.#keys = new Map(entries);
    this.#current = first[0];
  }

  seal(plaintext: string): Buffer {
    const key = this.#key(this.#current);
    const nonce = randomBytes(nonceLength);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.from(this.#current, 'hex'), nonce, cipher.getAuthTag(), ciphertext]);
  }

  /** @throws SealUnreadable when the value was sealed with a key that is not on the ring, or was tampered with. */
  open(sealed: Buffer): string {
    const id = sealedWith(sealed);
    const nonce = sealed.subarray(keyIdLength, keyIdLength + nonceLength);
    const tag = sealed.subarray(keyIdLength + nonceLength, keyIdLength + nonceLength + tagLength);
    const decipher = createDecipheriv('aes-256-gcm', this.#key(id), nonce);
    decipher.setAuthTag(tag);
    const ciphertext = sealed.subarray(keyIdLength + nonceLength + tagLength);
    try {
      return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new SealUnreadable(`sealed with encryption key ${id}, and changed since`, { cause });
    }
  }

  opens(sealed: Buffer): boolean {
    try {
      this.open(sealed);
      return true;
    } catch (error) {
      if (error instanceof SealUnreadable) return false;
      throw error;
    }
  }

  /** Ids of the keys that open and do not seal any more. */
  get formerIds(): string[] {
    return [...this.#keys.keys()].filter((id) => id !== this.#current);
  }

  /** Whether the key that seals now sealed this. */
  isCurrent(sealed: Buffer): boolean {
    return sealedWith(sealed) === this.#current;
  }

  /** A key for another purpose, bound to the current one: it changes when that is rotated. */
  derive(purpose: string): Buffer {
    return createHmac('sha256', this.#key(this.#current)).update(purpose).digest();
  }

  #key(id: string): Buffer {
    const key = this.#keys.get(id);
    if (key === undefined) {
      throw new SealUnreadable(`sealed with encryption key ${id}, which this server does not have`);
    }
    return key;
  }
}

/** The id of the key that sealed a value. */
export function sealedWith(sealed: Buffer): string {
  return sealed.subarray(0, keyIdLength).toString('hex');
}

function keyId(key: Buffer): string {
  if (key.length !== 32) throw new Error(`an encryption key has 32 bytes, not ${key.length}`);
  return createHash('sha256').update(key).digest().subarray(0, keyIdLength).toString('hex');
}
