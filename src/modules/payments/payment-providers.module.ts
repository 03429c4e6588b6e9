import { Module } from '@nestjs/common';
import { PaymentProviders } from './payment-providers.js';

/** By itself, so that the module of an adapter can import it and payments can import the adapter's. */
@Module({ providers: [PaymentProviders], exports: [PaymentProviders] })
export class PaymentProvidersModule {}
