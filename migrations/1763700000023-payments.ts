import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments, refunds, disputes and subscriptions, what providers have told, and what does not agree with their books. */
export class Payments1763700000023 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE subscriptions (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        provider text NOT NULL,
        provider_reference text NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0), -- of one period
        currency char(3) NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'past_due', 'cancelled')),
        period_end timestamptz NOT NULL,
        cancel_at_period_end boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT ux_subscriptions_reference UNIQUE (provider, provider_reference),
        CHECK ((status = 'cancelled') = (ended_at IS NOT NULL))
      );
      -- Whoever pays for two by accident has one, and the other's money back.
      CREATE UNIQUE INDEX ux_subscriptions_live ON subscriptions (user_id) WHERE status <> 'cancelled';
      CREATE INDEX ix_subscriptions_user ON subscriptions (user_id, id);
      CREATE INDEX ix_subscriptions_ending ON subscriptions (period_end) WHERE cancel_at_period_end AND status <> 'cancelled';

      CREATE TABLE payments (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        purpose text NOT NULL CHECK (purpose IN ('week_pass', 'subscription', 'buy_back', 'deposit')),
        subject text, -- what is bought, as the module says whose it is; null of a deposit
        subscription_id uuid REFERENCES subscriptions,
        amount bigint NOT NULL CHECK (amount > 0), -- what was ordered
        currency char(3) NOT NULL,
        provider text NOT NULL,
        provider_reference text,
        redirect_url text,
        status text NOT NULL CHECK (status IN ('created', 'pending', 'succeeded', 'failed', 'expired', 'cancelled',
          'in_review', 'refunding', 'partially_refunded', 'refunded', 'disputed', 'charged_back')),
        failure_code text,
        review text, -- why its money stands aside and has bought nothing
        paid_amount bigint CHECK (paid_amount > 0), -- what the provider says came
        paid_currency char(3),
        paid_to_kind text, -- the account that it was booked to, and from which it is refunded
        paid_to_owner text,
        refunding bigint NOT NULL DEFAULT 0 CHECK (refunding >= 0),
        refunded bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0),
        dispute text CHECK (dispute IN ('open', 'lost')),
        period_end timestamptz, -- of a subscription: until when this pays
        opening_until timestamptz, -- until then a request is asking the provider for the checkout
        opened_at timestamptz, -- when the provider had taken it
        created_at timestamptz NOT NULL,
        confirmed_at timestamptz,
        failed_at timestamptz,
        check_at timestamptz, -- when the provider is asked, if it has said nothing by then
        checks int NOT NULL DEFAULT 0,
        CHECK (num_nonnulls(paid_amount, paid_currency, paid_to_kind, paid_to_owner, confirmed_at) IN (0, 5)),
        -- Two refunds at once cannot give back more than came.
        CHECK (refunding + refunded <= coalesce(paid_amount, 0)),
        CHECK ((status IN ('created', 'pending')) = (check_at IS NOT NULL)),
        CHECK (status NOT IN ('created', 'pending', 'failed', 'expired', 'cancelled') OR paid_amount IS NULL)
      );
      CREATE INDEX ix_payments_user ON payments (user_id, id);
      CREATE INDEX ix_payments_user_failed ON payments (user_id, failed_at) WHERE failed_at IS NOT NULL;
      CREATE INDEX ix_payments_open ON payments (user_id) WHERE status IN ('created', 'pending');
      CREATE INDEX ix_payments_check ON payments (check_at) WHERE check_at IS NOT NULL;
      CREATE INDEX ix_payments_confirmed ON payments (provider, confirmed_at, id) WHERE confirmed_at IS NOT NULL;
      CREATE INDEX ix_payments_review ON payments (id) WHERE status = 'in_review';

      -- Every name by which a provider may speak of a payment.
      CREATE TABLE payment_references (
        provider text NOT NULL,
        reference text NOT NULL,
        payment_id uuid NOT NULL REFERENCES payments,
        PRIMARY KEY (provider, reference)
      );
      CREATE INDEX ix_payment_references_payment ON payment_references (payment_id);

      CREATE TABLE payment_refunds (
        id uuid PRIMARY KEY,
        payment_id uuid NOT NULL REFERENCES payments,
        amount bigint NOT NULL CHECK (amount > 0), -- in the payment's paid_currency
        reason text NOT NULL,
        requested_by uuid REFERENCES users, -- null: the rules
        status text NOT NULL CHECK (status IN ('requested', 'pending', 'succeeded', 'failed')),
        provider_reference text,
        failure_code text,
        created_at timestamptz NOT NULL,
        completed_at timestamptz,
        check_at timestamptz,
        checks int NOT NULL DEFAULT 0,
        CHECK ((status IN ('requested', 'pending')) = (check_at IS NOT NULL)),
        CHECK ((status IN ('succeeded', 'failed')) = (completed_at IS NOT NULL))
      );
      CREATE INDEX ix_payment_refunds_payment ON payment_refunds (payment_id, id);
      CREATE INDEX ix_payment_refunds_check ON payment_refunds (check_at) WHERE check_at IS NOT NULL;
      CREATE INDEX ix_payment_refunds_reference ON payment_refunds (provider_reference);

      CREATE TABLE payment_disputes (
        id uuid PRIMARY KEY,
        payment_id uuid NOT NULL REFERENCES payments,
        provider text NOT NULL,
        provider_reference text NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0),
        currency char(3) NOT NULL,
        opened_at timestamptz NOT NULL,
        withdrawn_at timestamptz, -- when the provider took the money back
        reinstated_at timestamptz,
        outcome text CHECK (outcome IN ('won', 'lost')),
        closed_at timestamptz,
        CONSTRAINT ux_payment_disputes_reference UNIQUE (provider, provider_reference),
        CHECK ((outcome IS NULL) = (closed_at IS NULL))
      );
      CREATE INDEX ix_payment_disputes_payment ON payment_disputes (payment_id);

      -- What providers have sent, verified and read at the door. The key is what makes a webhook sent twice one event.
      CREATE TABLE provider_events (
        id uuid PRIMARY KEY,
        provider text NOT NULL,
        event_id text NOT NULL,
        type text NOT NULL,
        about text NOT NULL,
        provider_reference text,
        content jsonb NOT NULL, -- as the adapter has read it
        raw_body bytea, -- until it is of no use any more: it names people
        payment_id uuid REFERENCES payments, -- what it was found to be about
        received_at timestamptz NOT NULL,
        applied_at timestamptz,
        outcome text CHECK (outcome IN ('applied', 'stale', 'unknown', 'ignored', 'review')),
        CONSTRAINT ux_provider_events_event UNIQUE (provider, event_id),
        CHECK ((applied_at IS NULL) = (outcome IS NULL))
      );
      CREATE INDEX ix_provider_events_waiting ON provider_events (received_at) WHERE applied_at IS NULL;
      -- Those of payments that are not known yet wait for the answer that tells the reference.
      CREATE INDEX ix_provider_events_unknown ON provider_events (provider, provider_reference) WHERE outcome = 'unknown';
      CREATE INDEX ix_provider_events_payment ON provider_events (payment_id);
      CREATE INDEX ix_provider_events_cleanup ON provider_events (received_at) WHERE raw_body IS NOT NULL;

      -- One comparison of a day's payments with a provider's own list; claimed by the worker that makes it.
      CREATE TABLE payment_reconciliations (
        id uuid PRIMARY KEY,
        provider text NOT NULL,
        day date NOT NULL,
        started_at timestamptz NOT NULL,
        completed_at timestamptz,
        listed int NOT NULL DEFAULT 0, -- by the provider
        booked int NOT NULL DEFAULT 0, -- by us
        CONSTRAINT ux_payment_reconciliations_day UNIQUE (provider, day)
      );

      CREATE TABLE payment_differences (
        id uuid PRIMARY KEY,
        provider text NOT NULL,
        reference text NOT NULL, -- the provider's, or our payment's id where it has none
        kind text NOT NULL CHECK (kind IN ('unknown_here', 'missing_there', 'not_booked', 'amount_differs')),
        payment_id uuid REFERENCES payments,
        ours bigint,
        theirs bigint,
        currency char(3),
        found_at timestamptz NOT NULL,
        resolved_at timestamptz,
        resolved_by uuid REFERENCES users, -- null: the books came to agree
        note text,
        CONSTRAINT ux_payment_differences UNIQUE (provider, reference, kind)
      );
      CREATE INDEX ix_payment_differences_open ON payment_differences (id) WHERE resolved_at IS NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE payment_differences, payment_reconciliations, provider_events, payment_disputes, payment_refunds,
        payment_references, payments, subscriptions;
    `);
  }
}
