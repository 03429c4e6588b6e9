import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../../platform/clock/clock.js';
import { AppConfig } from '../../../../platform/config/app-config.js';
import { DeadlinesService } from '../../../../platform/jobs/deadlines.service.js';
import { SandboxBooksRepository } from './sandbox-books.repository.js';
import { sandboxSettings, signatureOf } from './sandbox-settings.js';
import type { SandboxEvent, SandboxEventType, SandboxObject } from './sandbox.types.js';

/** What the sandbox does at a time. */
export const SANDBOX_DEADLINES = {
  webhook: 'sandbox.webhook',
  expiry: 'sandbox.expiry',
  latePayment: 'sandbox.late-payment',
  payout: 'sandbox.payout',
  renewal: 'sandbox.renewal',
} as const;

const WEBHOOK_PATH = '/api/v1/payments/webhooks/sandbox';
const TIMEOUT_MS = 10_000;
const GIVE_UP_MS = 3 * 86_400_000;

export function newSandboxId(kind: 'co' | 're' | 'po' | 'sub' | 'ev'): string {
  return `sbx_${kind}_${randomBytes(18).toString('base64url')}`;
}

/** Tells the merchant: signed webhooks over HTTP, again and again for three days until one is answered with a 2xx. */
@Injectable()
export class SandboxEventsService {
  constructor(
    private readonly books: SandboxBooksRepository,
    private readonly deadlines: DeadlinesService,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /** Sent once for each of the delays, in milliseconds from now; two delays make the same event come twice. */
  async publish(
    manager: EntityManager,
    type: SandboxEventType,
    data: SandboxObject,
    delays: readonly number[] = [0],
  ): Promise<void> {
    const now = this.clock.now();
    const event: SandboxEvent = { id: newSandboxId('ev'), type, createdAt: now.toISOString(), data };
    await this.books.insertEvent(manager, {
      id: event.id,
      type,
      body: JSON.stringify(event),
      createdAt: now,
    });
    await this.deadlines.set(
      manager,
      SANDBOX_DEADLINES.webhook,
      ...delays.map((delay, time) => ({
        subject: `${event.id}:${time}`,
        dueAt: new Date(now.getTime() + delay),
      })),
    );
  }

  /** Throws when it was not taken, so that its job tries again. */
  async deliver(subject: string): Promise<void> {
    const id = subject.split(':', 1)[0] ?? '';
    const event = await this.books.findEvent(id);
    const now = this.clock.now();
    if (!event || event.created_at.getTime() < now.getTime() - GIVE_UP_MS) return;
    const { url, webhookSecret } = sandboxSettings(this.config);
    const timestamp = Math.floor(now.getTime() / 1000);
    const signature = signatureOf(webhookSecret, timestamp, event.body).toString('hex');
    const response = await fetch(`${url}${WEBHOOK_PATH}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'Sandbox-Signature': `t=${timestamp},v1=${signature}`,
      },
      body: event.body,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the webhook ${id} was answered with ${response.status}`);
    await this.books.markDelivered(id, now);
  }
}
