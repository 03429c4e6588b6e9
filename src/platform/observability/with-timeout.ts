import { httpErrors } from '../http/http.errors.js';

/** How long readiness is looked for: an orchestrator asks again soon and is not kept waiting. */
export const READY_MS = 2000;

/** The outcome of `work`, or SERVICE_UNAVAILABLE naming `part` when it takes longer than `ms`. */
export async function withTimeout<T>(work: Promise<T>, ms: number, part: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(httpErrors.SERVICE_UNAVAILABLE({ part, retryAfter: 2 })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
