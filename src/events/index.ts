export { appendEvent, type StoredEvent } from './append.ts';
export { type EventType, eventTypes } from './catalogue.ts';
export { type EventQuery, listEvents } from './list.ts';
