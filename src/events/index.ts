export { appendEvent, type StoredEvent } from './append.ts';
export { type EventType, eventTypes, isEventType } from './catalogue.ts';
export { type EventFeed, startEventFeed } from './feed.ts';
export { type Following, followEvents } from './follow.ts';
export { keptSince } from './kept-since.ts';
export type { EventQuery, ListedEvent } from './list.ts';
export { type EventLog, openEventLog } from './log.ts';
export { type EventPage, exactPage, pageForCut } from './page.ts';
export { sampleEvent } from './sample.ts';
