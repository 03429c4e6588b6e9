import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was paid for weeks, and where the pools' money goes. */
export class PoolMoney1763700000026 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- One row for each payment that bought something of a week, also when it had come too late and went back.
      CREATE TABLE week_purchases (
        payment_id uuid PRIMARY KEY,           -- what makes a payment that is told twice count once
        user_id uuid NOT NULL REFERENCES users,
        purpose text NOT NULL CHECK (purpose IN ('week_pass', 'subscription', 'buy_back')),
        week_id int NOT NULL,                  -- which it counts for; of a subscription the first
        last_week_id int NOT NULL,             -- of a subscription, otherwise the same
        pool_id uuid,                          -- in which was bought back
        amount bigint NOT NULL CHECK (amount > 0),
        currency text NOT NULL,
        escrow text,                           -- the owner of the escrow account that it was paid to
        refused text,                          -- why it did nothing: the money goes back
        taken_back_at timestamptz,             -- the money is gone again
        created_at timestamptz NOT NULL,
        CHECK (last_week_id >= week_id AND (purpose = 'subscription' OR last_week_id = week_id)),
        CHECK ((escrow IS NULL) = (refused IS NOT NULL)),
        CHECK ((pool_id IS NOT NULL) = (purpose = 'buy_back' AND refused IS NULL))
      );
      CREATE INDEX ix_week_purchases_user ON week_purchases (user_id, last_week_id);
      CREATE INDEX ix_week_purchases_week ON week_purchases (week_id) WHERE purpose <> 'subscription';
      CREATE INDEX ix_week_purchases_subscription ON week_purchases (last_week_id) WHERE purpose = 'subscription';

      -- Of a week that ended before it could be drawn: where its passes count now.
      ALTER TABLE weeks ADD passes_moved_to int REFERENCES weeks;
      CREATE INDEX ix_weeks_passes_moved_to ON weeks (passes_moved_to) WHERE passes_moved_to IS NOT NULL;

      ALTER TABLE pools ADD entry_fees bigint NOT NULL DEFAULT 0 CHECK (entry_fees >= 0); -- what the draw put into its pot
      ALTER TABLE prize_pots
        ADD revision int NOT NULL DEFAULT 0,               -- how often its prizes were paid: first and corrected; 0: never
        ADD carry_transfer_id uuid;                        -- of what went on to the next week
      ALTER TABLE prizes ADD transfer_id uuid,
        ADD CONSTRAINT prizes_paid CHECK ((status = 'paid') = (transfer_id IS NOT NULL));
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE prizes DROP CONSTRAINT prizes_paid, DROP transfer_id;
      ALTER TABLE prize_pots DROP revision, DROP carry_transfer_id;
      ALTER TABLE pools DROP entry_fees;
      ALTER TABLE weeks DROP passes_moved_to;
      DROP TABLE week_purchases;
    `);
  }
}
