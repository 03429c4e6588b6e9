import { createHmac, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { LoopbackServer } from './loopback-server.js';

/** A payment as this bank answers it. */
export interface BankPayment {
  id: string;
  reference: string;
  aliases: string[];
  status: 'pending' | 'succeeded' | 'failed' | 'expired' | 'cancelled';
  amount: number;
  currency: string;
  /** What was paid; null when it does not tell. */
  paid: { amount: number; currency: string } | null;
  failureCode: string | null;
  subscription: string | null;
  periodEnd: string | null;
  at: string;
}

export interface BankRefund {
  id: string;
  reference: string;
  status: 'pending' | 'succeeded' | 'failed';
  amount: number;
  currency: string;
}

/** `lost`: it does what it is asked, and its answer never comes. `down`: it does nothing. `declined`: it refuses. */
export type BankMood = 'well' | 'lost' | 'down' | 'declined';

const SECRET = 'what the bank and the merchant know';

/** A payment provider that does what a test says, behind HTTP. It knows nothing of our code. */
export class ScriptedBank extends LoopbackServer {
  readonly payments = new Map<string, BankPayment>();
  readonly refunds = new Map<string, BankRefund>();
  readonly cancelled: string[] = [];
  /** Requests by their path, as they came. */
  readonly asked: string[] = [];
  mood: BankMood = 'well';
  refundsBecome: BankRefund['status'] = 'succeeded';
  now: () => Date = () => new Date();

  /** Somebody pays, or does not. */
  decide(id: string, change: Partial<BankPayment>): BankPayment {
    const payment = this.payments.get(id);
    if (!payment) throw new Error(`the bank knows no payment ${id}`);
    const paid =
      change.status === 'succeeded' ? { amount: payment.amount, currency: payment.currency } : payment.paid;
    Object.assign(payment, { paid, at: this.now().toISOString() }, change);
    return payment;
  }

  /** A webhook's body about a payment as it is now; `over` is what the test wants otherwise. */
  about(payment: BankPayment, over: object = {}): object {
    return {
      id: `ev_${randomUUID()}`,
      type: `payment.${payment.status}`,
      about: 'payment',
      reference: payment.reference,
      ourId: payment.id,
      state: { ...payment },
      ...over,
    };
  }

  /** The headers of a webhook, signed at that time. */
  sign(body: string, at = this.now()): Record<string, string> {
    const time = String(Math.floor(at.getTime() / 1000));
    return { 'Bank-Time': time, 'Bank-Signature': signature(time, body) };
  }

  /** Sends a webhook; the status of its answer. */
  async send(to: string, event: object, headers?: Record<string, string>): Promise<number> {
    const body = JSON.stringify(event);
    const response = await fetch(`${to}/api/v1/payments/webhooks/scripted`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(headers ?? this.sign(body)) },
      body,
    });
    await response.body?.cancel();
    return response.status;
  }

  protected async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const body = request.method === 'POST' ? ((await json(request)) as Record<string, unknown>) : {};
    this.asked.push(`${request.method} ${url.pathname}`);
    if (this.mood === 'down') return void response.writeHead(503).end();
    if (this.mood === 'declined') return void response.writeHead(402).end();
    const found = this.handle(`${request.method} ${url.pathname}`, url, body);
    if (this.mood === 'lost') return void request.socket.destroy();
    response.writeHead(found === null ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(found));
  }

  private handle(what: string, { searchParams }: URL, body: Record<string, unknown>): unknown {
    switch (what) {
      case 'POST /checkouts':
        return this.open(body);
      case 'GET /payments':
        return (
          [...this.payments.values()].find(
            ({ id, reference }) =>
              id === searchParams.get('id') || reference === searchParams.get('reference'),
          ) ?? null
        );
      case 'POST /refunds':
        return this.refund(body);
      case 'GET /refunds':
        return this.refunds.get(searchParams.get('id') ?? '') ?? null;
      case 'POST /cancel':
        return this.cancelled.push(String(body['subscription']));
      case 'GET /list':
        return [...this.payments.values()].filter(
          ({ at }) => at >= (searchParams.get('from') ?? '') && at < (searchParams.get('to') ?? ''),
        );
      default:
        return null;
    }
  }

  /** One for an id. */
  private open(body: Record<string, unknown>): BankPayment {
    const id = String(body['id']);
    const reference = `bank_${id}`;
    const payment: BankPayment = this.payments.get(id) ?? {
      id,
      reference,
      aliases: [`intent_${id}`],
      status: 'pending',
      amount: Number(body['amount']),
      currency: String(body['currency']),
      paid: null,
      failureCode: null,
      subscription: body['purpose'] === 'subscription' ? `sub_${id}` : null,
      periodEnd: null,
      at: this.now().toISOString(),
    };
    this.payments.set(id, payment);
    return payment;
  }

  private refund(body: Record<string, unknown>): BankRefund {
    const id = String(body['id']);
    const refund: BankRefund = this.refunds.get(id) ?? {
      id,
      reference: `refund_${id}`,
      status: this.refundsBecome,
      amount: Number(body['amount']),
      currency: String(body['currency']),
    };
    this.refunds.set(id, refund);
    return refund;
  }
}

export function signature(time: string, body: string | Buffer): string {
  return createHmac('sha256', SECRET).update(`${time}.`).update(body).digest('hex');
}
