import pino, { type Logger } from 'pino';

export type { Logger };

/**
 * JSON lines on standard error; standard output belongs to what people asked for. One wide line per unit of
 * work, named `<thing>.<what happened>`. What could hold a secret or a value of a user is never logged; the
 * paths below are the second net.
 */
export function createLog(level: string, fields: Record<string, string> = {}): Logger {
  const redact = ['*.secret', '*.password', '*.authorization', '*.configuration', 'headers.authorization'];
  const destination = pino.destination({ dest: 2, sync: true });
  return pino({ level, base: { pid: process.pid, ...fields }, redact, messageKey: 'event' }, destination);
}
