export { appendEvent, type StoredEvent } from './append.ts';
export { type EventType, eventTypes, isEventType } from './catalogue.ts';
export { type EventFeed, startEventFeed } from './feed.ts';
export { followEvents } from './follow.ts';
export { type EventQuery, findEvent, keptSince, type ListedEvent, listEvents, logEnd } from './list.ts';
export { sampleEvent } from './sample.ts';
