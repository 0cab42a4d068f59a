/** How a protocol frames what its server says. */
export interface Framing {
  headerLength: number;
  /** Bytes of the whole frame that begins at `at`. */
  frameLength(bytes: Buffer, at: number): number;
  /** Says in the header of a frame that its body has so many bytes. */
  setLength(frame: Buffer, bodyLength: number): void;
  /** Lengths of bodies that no server says. */
  absurdLengths: readonly number[];
  /** Where frames of one answer are numbered, in a byte. */
  sequenceAt?: number;
  /** Places of a frame, from its start, whose byte says what it is, and what such bytes are. */
  kindAt: number;
  kinds: readonly number[];
  /** Frames that are not expected, or that nothing expects. */
  strangers: readonly Buffer[];
}

const bytesOf = (text: string) => [...text].map((character) => character.charCodeAt(0));

export function postgresqlFrame(kind: string, body: Buffer | number[]): Buffer {
  const frame = Buffer.concat([Buffer.from(kind), Buffer.alloc(4), Buffer.from(body)]);
  frame.writeUInt32BE(frame.length - 1, 1);
  return frame;
}

export const int32 = (number: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return [...bytes];
};

export const postgresqlFraming: Framing = {
  headerLength: 5,
  frameLength: (bytes, at) => (at + 5 > bytes.length ? Number.NaN : 1 + bytes.readUInt32BE(at + 1)),
  setLength: (frame, bodyLength) => frame.writeUInt32BE((bodyLength + 4) >>> 0, 1),
  absurdLengths: [-4, -3, -2, -1, 0x10_0000, 0x3fff_fff0, 0x7fff_fff0, 0xffff_fffb],
  kindAt: 0,
  kinds: bytesOf('RSKZENATDCGHWtdcIns123vV'),
  strangers: [
    ...['E', 'N', 'A', 'D', 'T', 'S', 'K', 'Z', 'C', 'R', 'G', 'H', 't'].map((kind) =>
      postgresqlFrame(kind, []),
    ),
    // An error without its end, and one with no message.
    postgresqlFrame('E', bytesOf('Sfatal')),
    postgresqlFrame('E', [0]),
    // CopyInResponse, CopyOutResponse, CopyBothResponse.
    ...['G', 'H', 'W'].map((kind) => postgresqlFrame(kind, [0, 0, 0])),
    postgresqlFrame('G', [0, 0x7f, 0xff]),
    postgresqlFrame('d', bytesOf('1\tx\n')),
    postgresqlFrame('c', []),
    // Rows with a negative length, a negative number of values, a value past the end.
    postgresqlFrame('D', [0, 1, ...int32(-2)]),
    postgresqlFrame('D', [0xff, 0xff]),
    postgresqlFrame('D', [0, 1, ...int32(0x7fff_ffff), 1]),
    postgresqlFrame('T', [0xff, 0xff]),
    postgresqlFrame('T', [0x7f, 0xff, 0]),
    postgresqlFrame('A', [0, 0, 0, 1, 0x61]),
    // Requests to prove who one is: again, without an end, of unknown kinds.
    ...[0, 2, 3, 5, 7, 8, 9, 10, 11, 12, 99].map((request) => postgresqlFrame('R', int32(request))),
    postgresqlFrame('R', [...int32(10), ...bytesOf('SCRAM-SHA-256')]),
    postgresqlFrame('R', [...int32(11), ...bytesOf('r=x,s=,i=999999999')]),
    postgresqlFrame('R', [...int32(12), ...bytesOf('v=')]),
    postgresqlFrame('Z', [0x49]),
    postgresqlFrame('s', []),
    postgresqlFrame('v', int32(0)),
  ],
};

function mysqlFrame(body: number[], sequence = 1): Buffer {
  return Buffer.from([body.length & 0xff, body.length >> 8, 0, sequence, ...body]);
}

export const mysqlFraming: Framing = {
  headerLength: 4,
  frameLength: (bytes, at) => (at + 4 > bytes.length ? Number.NaN : 4 + bytes.readUIntLE(at, 3)),
  setLength: (frame, bodyLength) => void frame.writeUIntLE(bodyLength & 0xffffff, 0, 3),
  absurdLengths: [0, 1, 0xffff, 0xfffffe, 0xffffff],
  sequenceAt: 3,
  kindAt: 4,
  kinds: [0, 1, 2, 3, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff],
  strangers: [
    mysqlFrame([]),
    ...[0, 1, 0xfb, 0xfc, 0xfd, 0xfe, 0xff].map((first) => mysqlFrame([first])),
    // The server asks for a file.
    mysqlFrame([0xfb, ...bytesOf('/etc/passwd')]),
    mysqlFrame([0xff, 0x10, 0x04]),
    // Other ways to prove who one is.
    mysqlFrame([0xfe, ...bytesOf('mysql_clear_password'), 0]),
    mysqlFrame([0xfe, ...bytesOf('no_such_plugin'), 0]),
    mysqlFrame([0xfe, ...bytesOf('caching_sha2_password')]),
    // Lengths past the end.
    mysqlFrame([0xfc, 0xff, 0xff]),
    mysqlFrame([0xfd, 0xff, 0xff, 0xff]),
    mysqlFrame([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 1, 1]),
    mysqlFrame([1, 0x31, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  ],
};

/** Bytes, cut anywhere → whole frames. */
export class FrameSplitter {
  readonly #framing: Framing;
  #rest = Buffer.alloc(0);

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  push(chunk: Buffer): Buffer[] {
    const bytes = Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    let at = 0;
    for (;;) {
      const length = this.#framing.frameLength(bytes, at);
      if (!(at + length <= bytes.length)) break;
      frames.push(Buffer.from(bytes.subarray(at, at + length)));
      at += length;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}
