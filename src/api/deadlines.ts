import { limits } from '../limits.ts';

/** Milliseconds that each phase of a request may take. */
export interface Deadlines {
  /** Until its head has arrived. */
  head: number;
  /** Until all of it has arrived. */
  body: number;
  /** Until it is answered, a body's arrival included. */
  handling: number;
  /** That a client may leave an answer unread, or a connection may say nothing. */
  idle: number;
}

const { headTime, bodyTime, handlingTime, idleTime } = limits.request;

export const deadlines: Deadlines = {
  head: headTime.most * 1000,
  body: bodyTime.most * 1000,
  handling: handlingTime.most * 1000,
  idle: idleTime.most * 1000,
};

/** Of an answer that is a file: it takes as long as its reader reads. */
export const downloadTime = 24 * 3_600_000;

export const seconds = (milliseconds: number) => milliseconds / 1000;
