/**
 * A feed has not answered, or nothing that can be used. Its message is shown to admins and logged: it never holds a key, an address
 * with a query, or text of somebody else's.
 */
export class FeedSilence extends Error {
  override readonly name = 'FeedSilence';

  constructor(
    message: string,
    /** Seconds for which asking again is of no use, where that is known. Asked before, the feed throws without asking anybody. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}
