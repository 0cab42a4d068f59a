import { expect, test } from 'vitest';
import { Places } from './places.ts';

const prompt = { delivered: true, durationMs: 5 };
const hung = { delivered: false, durationMs: 15_000 };

/** Lets an endpoint answer until it may use its whole share. */
function prove(places: Places, webhookId: string): void {
  for (let n = 0; n < 40; n++) places.take(webhookId, false)(prompt);
}

test('an endpoint that answers gets more and more places, up to its share', () => {
  const places = new Places(256, 32);
  expect(places.room('a', false)).toBe(1);
  places.take('a', false)(prompt);
  expect(places.room('a', false)).toBe(2);
  prove(places, 'a');
  expect(places.room('a', false)).toBe(32);
});

test('one that stops answering falls back to one place, one that fails to half', () => {
  const places = new Places(256, 32);
  prove(places, 'a');
  places.take('a', false)({ delivered: false, durationMs: 5 });
  expect(places.room('a', false)).toBe(16);
  places.take('a', false)(hung);
  expect(places.room('a', false)).toBe(1);
});

test('one that is slow and answers gets more and more places, the fewer the slower it is', () => {
  const places = new Places(256, 32);
  const rounds = (durationMs: number) => {
    for (let n = 0; n < 40; n++) places.take('slow', false)({ delivered: true, durationMs });
    return places.room('slow', false);
  };
  expect(rounds(2200)).toBe(29);
  expect(rounds(10_000)).toBe(6);
  expect(rounds(90_000)).toBe(1);
  expect(rounds(1900)).toBe(32);
});

test('however many endpoints hang, half of the places are for those that answer', () => {
  const places = new Places(256, 32);
  prove(places, 'good');
  for (let n = 0; n < 1000; n++) if (places.room(`hangs ${n}`, false) > 0) places.take(`hangs ${n}`, false);
  expect(places.free).toBe(128);
  expect(places.room('good', false)).toBe(32);
});

test('retries never take more than half, even of an endpoint that answers', () => {
  const places = new Places(64, 64);
  prove(places, 'a');
  let taken = 0;
  while (places.room('a', true) > 0) {
    places.take('a', true);
    taken++;
  }
  expect(taken).toBe(32);
  expect(places.room('a', false)).toBeGreaterThan(0);
});

test('places come back', () => {
  const places = new Places(4, 4);
  prove(places, 'a');
  const leave = [1, 2, 3, 4].map(() => places.take('a', false));
  expect(places.room('a', false)).toBe(0);
  for (const one of leave) one(undefined);
  expect(places.free).toBe(4);
});
