/** NOTIFY channel; the payload is the id of an organization that has a new event. */
export const eventChannel = 'tidemark_events';
