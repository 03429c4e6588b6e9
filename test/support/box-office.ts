import { randomUUID } from 'node:crypto';
import { BuyBackPurchase } from '../../src/modules/pools/buy-back.purchase.js';
import { SubscriptionPurchase } from '../../src/modules/pools/subscription.purchase.js';
import { WeekPassPurchase } from '../../src/modules/pools/week-pass.purchase.js';
import {
  type PurchaseHandler,
  PurchasePort,
  type PurchasePurpose,
} from '../../src/modules/payments/purchase.port.js';
import type { Client } from './client.js';
import { PaymentsBench } from './payments.js';
import type { System } from './system.js';

/** A payments bench where the pools sell, as they do in the product. */
export class BoxOffice {
  private constructor(readonly bench: PaymentsBench) {}

  static async open(system: System): Promise<BoxOffice> {
    const bench = await PaymentsBench.open(system);
    const handlers: Map<PurchasePurpose, PurchaseHandler> = system.app.get(PurchasePort)['handlers'];
    handlers.set('week_pass', system.app.get(WeekPassPurchase));
    handlers.set('subscription', system.app.get(SubscriptionPurchase));
    handlers.set('buy_back', system.app.get(BuyBackPurchase));
    return new BoxOffice(bench);
  }

  /** Somebody buys and pays; the payment's id. */
  async buy(client: Client, purpose: PurchasePurpose, over: object = {}): Promise<string> {
    const id = await this.begin(client, purpose, over);
    await this.bench.tell(id, { status: 'succeeded' });
    return id;
  }

  async begin(client: Client, purpose: PurchasePurpose, over: object = {}): Promise<string> {
    return await this.bench.begin(client, { purpose, amount: undefined, ...over });
  }

  /** The first payment of a subscription that is paid until then. */
  async subscribe(client: Client, periodEnd: string): Promise<string> {
    const id = await this.begin(client, 'subscription');
    await this.bench.tell(id, { status: 'succeeded', periodEnd });
    return id;
  }

  async renew(id: string, periodEnd: string, periodStart?: string): Promise<void> {
    await this.tellOf('subscription', `invoice_${randomUUID()}`, {
      kind: 'renewed',
      subscriptionReference: `sub_${id}`,
      paid: { amount: 3500, currency: 'USD' },
      periodStart,
      periodEnd,
    });
  }

  /** The payer's bank takes the money back for good. */
  async lose(id: string, amount: number): Promise<void> {
    const dispute = { disputeReference: `dispute_${id}`, disputed: { amount, currency: 'USD' } };
    for (const kind of ['opened', 'funds_withdrawn', 'lost'])
      await this.tellOf('dispute', `bank_${id}`, { kind, ...dispute });
  }

  private async tellOf(
    about: string,
    reference: string,
    change: { kind: string } & Record<string, unknown>,
  ): Promise<void> {
    const event = { id: `ev_${randomUUID()}`, type: `${about}.${change.kind}`, about, reference, change };
    await this.bench.send(event);
    await this.bench.deliver();
  }

  /** The code with which buying is refused. */
  async refusal(client: Client, purpose: PurchasePurpose): Promise<string> {
    const { status, error } = await this.bench.checkout(client, { purpose, amount: undefined });
    return status === 201 ? 'begun' : error.code;
  }

  async statusOf(client: Client, id: string): Promise<string> {
    return (await client.get(`payments/${id}`)).data.status;
  }
}
