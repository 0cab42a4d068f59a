import type { KeyRing } from '../lib/seal.ts';
import { type SigningKey, signingKey } from './sign.ts';

/** Keys that are kept ready. */
const most = 1000;

/** Opens sealed secrets once for many deliveries. Keyed by the sealed bytes, so a new secret is a new entry. */
export class SigningKeys {
  readonly #keyRing: KeyRing;
  readonly #ready = new Map<string, SigningKey>();

  constructor(keyRing: KeyRing) {
    this.#keyRing = keyRing;
  }

  get(sealed: Buffer): SigningKey {
    const name = sealed.toString('latin1');
    const ready = this.#ready.get(name);
    if (ready !== undefined) return ready;
    const key = signingKey(this.#keyRing.open(sealed));
    if (this.#ready.size >= most) this.#ready.clear();
    this.#ready.set(name, key);
    return key;
  }
}
