import { finished, type Readable } from 'node:stream';

/**
 * The pieces of a stream one by one, as they were pushed. Its own iterator puts together what has gathered meanwhile: a
 * copy of everything, and none of the pieces could be given back.
 */
export async function* pieces(stream: Readable): AsyncGenerator<Buffer> {
  const queue: Buffer[] = [];
  let wake = () => {};
  let failure: Error | null | undefined;
  let ended = false;
  const take = (piece: Buffer) => {
    queue.push(piece);
    stream.pause();
    wake();
  };
  const forget = finished(stream, { writable: false }, (error) => {
    failure = error;
    ended = true;
    wake();
  });
  stream.on('data', take);
  try {
    for (;;) {
      const piece = queue.shift();
      if (piece !== undefined) {
        yield piece;
        continue;
      }
      if (failure) throw failure;
      if (ended) return;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      stream.resume();
      await woken;
    }
  } finally {
    forget();
    stream.off('data', take);
    if (!ended) stream.destroy();
  }
}
