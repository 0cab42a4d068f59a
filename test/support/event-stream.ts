import { until } from './until.ts';

export interface StreamedEvent {
  id: string;
  data: { id: string; type: string; created_at: string; event: Record<string, unknown> };
}

/** A server-sent event stream, parsed by the rules of the HTML standard as far as ours uses them. */
export interface OpenStream {
  comments: string[];
  received: StreamedEvent[];
  /** What a client sends as Last-Event-ID when it connects again; blocks without data count. */
  readonly lastEventId: string;
  /** The first so many events, once they are there. */
  events(count: number): Promise<StreamedEvent[]>;
  /** Of the named events so far. */
  readonly names: string[];
  comment(text: string): Promise<void>;
  /** Data of the first event of that name. */
  named(name: string): Promise<unknown>;
  /** Resolves when the connection is over, however. */
  closed: Promise<void>;
  close(): void;
}

export async function readStream(
  url: string,
  apiKey: string,
  query = '',
  headers: Record<string, string> = {},
): Promise<OpenStream> {
  const controller = new AbortController();
  const response = await fetch(`${url}/api/events/stream${query}`, {
    headers: { authorization: `Bearer ${apiKey}`, ...headers },
    signal: controller.signal,
  });
  if (response.status !== 200 || response.body === null) throw new Error(`${response.status}`);
  const comments: string[] = [];
  const received: StreamedEvent[] = [];
  const others = new Map<string, unknown>();

  let lastEventId = '';
  const take = (frame: string) => {
    const fields: Record<string, string> = {};
    for (const line of frame.split('\n')) {
      if (line.startsWith(': ')) comments.push(line.slice(2));
      const colon = line.indexOf(': ');
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
    }
    lastEventId = fields.id ?? lastEventId;
    if (fields.data === undefined) return;
    const data = JSON.parse(fields.data) as StreamedEvent['data'];
    if (fields.event === undefined) received.push({ id: fields.id ?? '', data });
    else others.set(fields.event, data);
  };
  const { body } = response;
  const closed = (async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      frames.forEach(take);
    }
  })().catch(() => {});
  return {
    comments,
    received,
    get lastEventId() {
      return lastEventId;
    },
    get names() {
      return [...others.keys()];
    },
    events: (count) => until(() => received.length >= count && received.slice(0, count)),
    comment: (text) => until(() => comments.includes(text)).then(() => {}),
    named: (name) => until(() => others.get(name)),
    closed,
    close: () => controller.abort(),
  };
}
