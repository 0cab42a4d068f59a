/** Exactly the ten types of Polytomic's events; the plural and the singular are theirs. */
export const eventTypes = [
  'sync.running',
  'sync.failed',
  'sync.canceled',
  'sync.completed',
  'sync.completed_with_errors',
  'bulk_sync.running',
  'bulk_sync.completed',
  'bulk_sync.canceled',
  'bulk_sync.failed',
  'bulk_sync.completed_with_error',
] as const;

export type EventType = (typeof eventTypes)[number];

export function isEventType(text: string): text is EventType {
  return eventTypes.some((type) => type === text);
}
