import { isRetryable } from './database-errors.js';

const ATTEMPTS = 4;

/**
 * A call that is a transaction of its own: asked again, at most three times, when it was the victim of a deadlock, which left nothing
 * behind.
 */
export async function restarted<Answer>(call: () => Promise<Answer>, attempt = 1): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    if (isRetryable(error) && attempt < ATTEMPTS) return await restarted(call, attempt + 1);
    throw error;
  }
}
