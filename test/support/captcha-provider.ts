import type { IncomingMessage, ServerResponse } from 'node:http';
import { LoopbackServer } from './loopback-server.js';

/** What a siteverify server was asked. */
interface Question {
  readonly method: string | undefined;
  readonly contentType: string | undefined;
  readonly form: Record<string, string>;
}

/**
 * Stands in for hCaptcha or Turnstile, after their documents: a form with `secret`, `response` and `remoteip`, answered
 * by `success` and `error-codes`. A token serves once; it is good when `solve` has made it.
 * @see https://docs.hcaptcha.com/#siteverify-error-codes-table
 * @see https://developers.cloudflare.com/turnstile/get-started/server-side-validation/#error-codes
 */
export class CaptchaProvider extends LoopbackServer {
  readonly asked: Question[] = [];
  /** In place of the usual answer. */
  mood: ((response: ServerResponse) => void) | null = null;
  private readonly solved = new Set<string>();
  private readonly used = new Set<string>();

  constructor(
    private readonly secret: string,
    private readonly duplicate: 'already-seen-response' | 'timeout-or-duplicate',
  ) {
    super();
  }

  solve(): string {
    const token = `P1_solved.${this.solved.size}-${'x'.repeat(500)}`;
    this.solved.add(token);
    return token;
  }

  protected async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    this.asked.push({ method: request.method, contentType: request.headers['content-type'], form });
    if (this.mood) return this.mood(response);
    const code = this.judge(form);
    response.setHeader('Content-Type', 'application/json');
    response.end(
      JSON.stringify({
        success: code === null,
        challenge_ts: '2023-10-03T12:00:00Z',
        hostname: 'app.example.com',
        'error-codes': code === null ? [] : [code],
      }),
    );
  }

  private judge({ secret, response }: Record<string, string>): string | null {
    if (secret === undefined || secret === '') return 'missing-input-secret';
    if (secret !== this.secret) return 'invalid-input-secret';
    if (response === undefined || response === '') return 'missing-input-response';
    if (!this.solved.has(response)) return 'invalid-input-response';
    if (this.used.has(response)) return this.duplicate;
    this.used.add(response);
    return null;
  }
}
