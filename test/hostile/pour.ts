import type { Socket } from 'node:net';

/** Says the same for ever, at the reader's pace. */
export function pour(socket: Socket, bytes: Buffer): void {
  const many = Buffer.concat(Array(Math.ceil(16_384 / bytes.length)).fill(bytes));
  const more = () => {
    while (!socket.destroyed && socket.write(many)) {}
  };
  socket.on('drain', more);
  more();
}
