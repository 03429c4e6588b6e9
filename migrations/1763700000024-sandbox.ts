import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The books of the sandbox, which is a payment provider of its own: nothing here refers to a table of ours. */
export class Sandbox1763700000024 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE sandbox_subscriptions (
        id text PRIMARY KEY,
        amount bigint NOT NULL CHECK (amount > 0),
        currency char(3) NOT NULL,
        status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'cancelled')),
        renewals_fail boolean NOT NULL,
        cancel_at_period_end boolean NOT NULL DEFAULT false,
        failures smallint NOT NULL DEFAULT 0,
        period_end timestamptz NOT NULL,
        next_charge_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL
      );

      -- What somebody pays, or has paid. A renewal is one that nobody was asked for: without a reference of the merchant's.
      CREATE TABLE sandbox_checkouts (
        id text PRIMARY KEY,
        merchant_reference text UNIQUE,
        recurring boolean NOT NULL,
        subscription_id text REFERENCES sandbox_subscriptions,
        amount bigint NOT NULL CHECK (amount > 0),
        currency char(3) NOT NULL,
        description text NOT NULL,
        return_url text,
        status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'paid', 'declined', 'expired', 'cancelled')),
        failure_code text,
        refunded bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= amount),
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        period_end timestamptz, -- of a subscription's: until when this pays
        paid_at timestamptz CHECK ((paid_at IS NOT NULL) = (status = 'paid'))
      );
      CREATE INDEX ix_sandbox_checkouts_paid ON sandbox_checkouts (paid_at, id) WHERE paid_at IS NOT NULL;

      CREATE TABLE sandbox_refunds (
        id text PRIMARY KEY,
        merchant_reference text NOT NULL UNIQUE,
        checkout_id text NOT NULL REFERENCES sandbox_checkouts,
        amount bigint NOT NULL CHECK (amount > 0),
        currency char(3) NOT NULL,
        created_at timestamptz NOT NULL
      );

      -- Where to is not kept: it may be somebody's telephone number, and decides only what is played.
      CREATE TABLE sandbox_payouts (
        id text PRIMARY KEY,
        merchant_reference text NOT NULL UNIQUE,
        amount bigint NOT NULL CHECK (amount > 0),
        currency char(3) NOT NULL,
        status text NOT NULL CHECK (status IN ('pending', 'paid', 'failed')),
        outcome text NOT NULL CHECK (outcome IN ('paid', 'failed')),
        failure_code text,
        created_at timestamptz NOT NULL
      );

      CREATE TABLE sandbox_events (
        id text PRIMARY KEY,
        type text NOT NULL,
        body text NOT NULL,
        created_at timestamptz NOT NULL,
        delivered_at timestamptz
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE sandbox_events, sandbox_payouts, sandbox_refunds, sandbox_checkouts, sandbox_subscriptions;
    `);
  }
}
