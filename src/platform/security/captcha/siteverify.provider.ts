import type { CaptchaProvider } from './captcha.provider.js';

const TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 16_384;

/** Error codes that are about the token. Any other is about us or them: the caller may have solved it well. */
const OF_THE_TOKEN = new Set([
  'missing-input-response',
  'invalid-input-response',
  'expired-input-response',
  'already-seen-response',
  'timeout-or-duplicate',
  'invalid-or-already-seen-response',
  'sitekey-secret-mismatch', // solved on somebody else's page
]);

/**
 * The protocol that hCaptcha and Turnstile share: a form with `secret`, `response` and `remoteip` is answered by
 * `{ success, "error-codes" }`.
 * @see https://docs.hcaptcha.com/#verify-the-user-response-server-side
 * @see https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
 */
export class SiteverifyProvider implements CaptchaProvider {
  constructor(
    readonly name: string,
    private readonly url: string,
    private readonly secret: string,
    private readonly timeoutMs = TIMEOUT_MS,
  ) {}

  async accepts(token: string, address: string): Promise<boolean> {
    const form = new URLSearchParams({ secret: this.secret, response: token });
    if (address !== '') form.set('remoteip', address);
    const answer = await fetch(this.url, {
      method: 'POST',
      body: form,
      redirect: 'error',
      signal: AbortSignal.timeout(this.timeoutMs),
    });
    const { success, codes } = readAnswer(await textOf(answer));
    if (success) return true;
    if (codes.length > 0 && codes.every((code) => OF_THE_TOKEN.has(code))) return false;
    throw new Error(`${this.name} answered ${answer.status} with ${codes.join(', ') || 'no reason'}`);
  }
}

/** Turnstile tells refusals with status 200 or 400, so the body decides and not the status. */
function readAnswer(text: string): { success: boolean; codes: string[] } {
  const answer: unknown = JSON.parse(text);
  if (answer === null || typeof answer !== 'object')
    throw new Error('the CAPTCHA provider answered no object');
  const { success, 'error-codes': codes } = answer as { success?: unknown; 'error-codes'?: unknown };
  if (typeof success !== 'boolean') throw new Error('the CAPTCHA provider answered without success');
  return { success, codes: Array.isArray(codes) ? codes.map(String) : [] };
}

async function textOf(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('the CAPTCHA provider answered without end');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
