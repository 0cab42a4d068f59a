/** Every member of every request at its maximum: nothing that a caller sends costs others more than a moment. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boundless, filled } from './fill.ts';
import { held } from './held.ts';
import { makeWorld, type Route, type World } from './world.ts';

/** Milliseconds that the event loop may be held. */
const moment = 50;
/**
 * `npm run measure:maxima` measures, on a machine that does nothing else: how long a request holds the event loop is a
 * time, and says something about the machine, too. `long`: every text and open value by itself, which takes minutes.
 */
const { TIDEMARK_TEST_MAXIMA: measured } = process.env;
const isLong = measured === 'long';

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

test('every member of every request has a stated maximum', () => {
  const found = world.routes.flatMap(({ operation, query, body }) => [
    ...(query === undefined ? [] : boundless(query, `${operation} query`)),
    ...(body === undefined ? [] : boundless(body, `${operation} body`)),
  ]);
  expect(found).toEqual([]);
});

interface Finding {
  request: string;
  status: number;
  longest: number;
}

/** Again where it took long: a collection of garbage, or code that runs for the first time, is nobody's request. */
async function send(route: Route, url: string, payload: string | undefined, place: string): Promise<Finding> {
  let best: Finding | undefined;
  for (let attempt = 0; attempt < 3; attempt++) {
    const { result, longest } = await held(() =>
      world.api.app.inject({
        method: route.method,
        url,
        headers: {
          authorization: `Bearer ${world.keyOf(route)}`,
          'content-type': 'application/json',
        },
        ...(payload === undefined ? {} : { payload }),
      }),
    );
    if (best === undefined || longest < best.longest) {
      best = { request: `${route.operation} ${place}`, status: result.statusCode, longest };
    }
    if (result.statusCode < 300 && route.operation.endsWith('.create')) await tidy(route, url, result.body);
    if (longest <= moment) break;
  }
  return best as Finding;
}

/** What was made is listed, shown and deleted again. */
async function tidy(route: Route, url: string, made: string): Promise<void> {
  const { data } = JSON.parse(made) as { data?: { id?: string } };
  const authorization = `Bearer ${world.keyOf(route)}`;
  const path = url.split('?')[0] ?? '';
  let best: Finding | undefined;
  for (let attempt = 0; attempt < 3 && (best === undefined || best.longest > moment); attempt++) {
    const { result, longest } = await held(() =>
      world.api.app.inject({ method: 'GET', url: path, headers: { authorization } }),
    );
    if (best !== undefined && best.longest <= longest) continue;
    best = { request: `list after ${route.operation}`, status: result.statusCode, longest };
  }
  if (best !== undefined) findings.push(best);
  if (data?.id === undefined) return;
  await world.api.app.inject({ method: 'DELETE', url: `${path}/${data.id}`, headers: { authorization } });
}

/** Whether a body says of the member that is full what the first one does not. */
function isOfItsOwn(place: string, base: unknown, first: unknown): boolean {
  const member = /^body\.(\w+)/.exec(place)?.[1] ?? '';
  const [own, before] = [base, first].map((body) => (body as Record<string, unknown> | undefined)?.[member]);
  return own !== undefined && !isDeepStrictEqual(own, before);
}

const findings: Finding[] = [];

test.skipIf(!measured)(
  'no request at its maximum holds the event loop, nor what is read afterwards',
  async () => {
    let sent = 0;
    const shapes = new Set<unknown>();
    for (const route of world.routes) {
      const { body, operation } = route;
      // What several operations take is the same to all of them, and read by the same code.
      if (body === undefined || shapes.has(body)) continue;
      shapes.add(body);
      const seen = new Set<string>();
      const bases = world.bases[operation] ?? [undefined];
      for (const [index, base] of bases.entries()) {
        for (const { place, value } of filled(body, base)) {
          // A text or a number is as long whatever stands beside it, and in the short form none is looked at by itself.
          const isList = /\[\]$|\(large\)$|^body\.\w+ \((texts|deep)\)$/.test(place);
          if (!isList && (index > 0 || !isLong)) continue;
          if (index > 0 && !isOfItsOwn(place, base, bases[0])) continue;
          const payload = JSON.stringify(value);
          if (seen.has(payload)) continue;
          seen.add(payload);
          const finding = await send(route, world.pathOf(route), payload, place);
          findings.push(finding);
          sent++;
        }
      }
    }
    expect(sent).toBeGreaterThan(100);
    expect(findings.filter(({ longest, status }) => longest > moment || status >= 500)).toEqual([]);
  },
);
