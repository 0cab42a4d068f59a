import type { Egress } from '../../egress/index.ts';
import type { HttpAuth } from './configuration.ts';
import type { Headers } from './headers.ts';
import { fetchToken } from './oauth.ts';

/** The OAuth token of a session: had when it is first needed, and had anew when it has run out. None without OAuth. */
export class Bearer {
  readonly #fetch: (() => Promise<Headers>) | undefined;
  #headers: Promise<Headers> | undefined;

  constructor(oauth: HttpAuth['oauth'], egress: Egress, signal?: AbortSignal) {
    if (!oauth?.client_id) return;
    this.#fetch = async () => ({ Authorization: `Bearer ${await fetchToken(oauth, egress, signal)}` });
  }

  /** Sends a request with the token; once more with another when it answers 401, since the token may have run out. */
  async send<Answer extends { status: number }>(
    request: (authorization: Headers) => Promise<Answer>,
  ): Promise<Answer> {
    const used = this.#token();
    const answer = await request(await used);
    if (answer.status !== 401 || this.#fetch === undefined) return answer;
    // Requests beside this one may have asked for another already.
    if (this.#headers === used) this.#headers = undefined;
    return request(await this.#token());
  }

  #token(): Promise<Headers> {
    if (this.#headers !== undefined) return this.#headers;
    const asked = this.#fetch?.() ?? Promise.resolve({});
    this.#headers = asked;
    // One that could not be had is asked for again.
    asked.catch(() => {
      if (this.#headers === asked) this.#headers = undefined;
    });
    return asked;
  }
}
