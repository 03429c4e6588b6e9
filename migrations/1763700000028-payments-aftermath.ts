import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What comes after money was booked: disputed deposits, refunds that fail late, cards that were declined, what waits for operators. */
export class PaymentsAftermath1763700000028 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- When the provider first said that it was given back: it may still say later that it was not.
      ALTER TABLE payment_refunds ADD succeeded_at timestamptz;
      UPDATE payment_refunds SET succeeded_at = completed_at WHERE status = 'succeeded';

      ALTER TABLE payment_disputes
        ADD charged bigint CHECK (charged BETWEEN 0 AND amount), -- what was there to be taken from who was paid; the rest is owed
        ADD charge_id uuid UNIQUE REFERENCES ledger_transfers,   -- that took it
        ADD charge_returned_at timestamptz,
        ADD CONSTRAINT payment_disputes_charged CHECK ((charged IS NULL) = (charge_id IS NULL)),
        ADD CONSTRAINT payment_disputes_returned CHECK (charge_returned_at IS NULL OR charge_id IS NOT NULL);

      -- Tries of a payer that were declined while the payment stayed open.
      ALTER TABLE payments ADD declined_at timestamptz[] NOT NULL DEFAULT '{}';
      CREATE INDEX ix_payments_user_declined ON payments (user_id) WHERE declined_at <> '{}';
      CREATE INDEX ix_payments_subscription ON payments (subscription_id) WHERE subscription_id IS NOT NULL;

      ALTER TABLE withdrawals ADD review_at timestamptz;         -- since when it needs an operator
      UPDATE withdrawals SET review_at = coalesce(settled_at, submitted_at, requested_at) WHERE review IS NOT NULL;
      ALTER TABLE withdrawals ADD CONSTRAINT withdrawals_review CHECK ((review IS NULL) = (review_at IS NULL));
      CREATE INDEX ix_withdrawals_review ON withdrawals (review_at) WHERE review_at IS NOT NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX ix_withdrawals_review;
      ALTER TABLE withdrawals DROP CONSTRAINT withdrawals_review, DROP review_at;
      DROP INDEX ix_payments_subscription;
      DROP INDEX ix_payments_user_declined;
      ALTER TABLE payments DROP declined_at;
      ALTER TABLE payment_disputes DROP CONSTRAINT payment_disputes_returned, DROP CONSTRAINT payment_disputes_charged,
        DROP charge_returned_at, DROP charge_id, DROP charged;
      ALTER TABLE payment_refunds DROP succeeded_at;
    `);
  }
}
