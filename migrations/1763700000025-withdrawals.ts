import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Money on its way out of wallets. */
export class Withdrawals1763700000025 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- What is asked for is held in the ledger from the first moment; the hold is captured when the provider has paid, and
      -- released when nothing will be. Its id is the payout's at the provider as well.
      CREATE TABLE withdrawals (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        amount bigint NOT NULL CHECK (amount > 0),
        currency text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        provider text NOT NULL,
        destination encrypted, -- erased with the user
        hold_id uuid NOT NULL UNIQUE REFERENCES ledger_holds,
        transfer_id uuid UNIQUE REFERENCES ledger_transfers, -- that captured it
        status text NOT NULL
          CHECK (status IN ('requested', 'approved', 'paying', 'paid', 'rejected', 'failed', 'returned')),
        provider_reference text,
        failure_code text,
        review text, -- what does not fit and an operator must look at
        checks int NOT NULL DEFAULT 0, -- times that the provider was asked what became of it
        requested_at timestamptz NOT NULL,
        decided_at timestamptz,
        decided_by uuid REFERENCES users, -- null: by the rules
        note text,
        submitted_at timestamptz,
        settled_at timestamptz,
        CHECK ((transfer_id IS NOT NULL) = (status IN ('paid', 'returned'))),
        CHECK (destination IS NOT NULL OR status IN ('paid', 'rejected', 'failed', 'returned')),
        CHECK ((settled_at IS NOT NULL) = (status IN ('paid', 'rejected', 'failed', 'returned')))
      );
      CREATE INDEX ix_withdrawals_user ON withdrawals (user_id, id DESC);
      CREATE INDEX ix_withdrawals_status ON withdrawals (status, id);
      CREATE INDEX ix_withdrawals_reference ON withdrawals (provider, provider_reference);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE withdrawals');
  }
}
