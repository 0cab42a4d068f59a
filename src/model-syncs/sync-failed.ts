/** Ends an execution as failed. The message is shown to the user: what did not work, and with what. */
export class SyncFailed extends Error {
  override name = 'SyncFailed';
}
