/** NOTIFY channel; the payload is the id of a webhook that has something to send. */
export const deliveryChannel = 'tidemark_deliveries';
