import { createInterface } from 'node:readline';

/** Until a server says `line`. @throws with all that it said, when it ends before. @param name for that message. */
export async function untilSays(output: NodeJS.ReadableStream, line: RegExp, name: string): Promise<void> {
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: output })
      .on('line', (one) => {
        lines.push(one);
        if (line.test(one)) resolve();
      })
      .once('close', () => reject(new Error(`${name} did not start:\n${lines.join('\n')}`)));
  });
}
