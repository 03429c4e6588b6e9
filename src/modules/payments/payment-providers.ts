import { Injectable } from '@nestjs/common';
import { paymentsErrors } from './payments.errors.js';
import type { PaymentProvider } from './provider.js';

/** The providers that are on. An adapter that is configured registers itself when its module is initialised. */
@Injectable()
export class PaymentProviders {
  private readonly providers = new Map<string, PaymentProvider>();

  register(provider: PaymentProvider): void {
    if (this.providers.has(provider.name)) throw new Error(`${provider.name} is registered already`);
    this.providers.set(provider.name, provider);
  }

  /** Throws PAYMENT_PROVIDER_UNKNOWN for one that is not there, or off. */
  get(name: string): PaymentProvider {
    const provider = this.providers.get(name);
    if (!provider) throw paymentsErrors.PAYMENT_PROVIDER_UNKNOWN({ provider: name, known: this.names });
    return provider;
  }

  has(name: string): boolean {
    return this.providers.has(name);
  }

  get all(): readonly PaymentProvider[] {
    return [...this.providers.values()];
  }

  get names(): readonly string[] {
    return [...this.providers.keys()];
  }
}
