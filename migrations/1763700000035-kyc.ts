import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who somebody is, as documents or a provider have shown it. */
export class Kyc1763700000035 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE kyc_cases (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        status text NOT NULL CHECK (status IN ('pending', 'in_review', 'resubmit', 'verified', 'rejected', 'expired', 'revoked')),
        provider text NOT NULL,
        document_kind text NOT NULL CHECK (document_kind IN ('passport', 'id_card', 'driving_licence')),
        country char(2) NOT NULL,
        round int NOT NULL DEFAULT 1 CHECK (round > 0), -- how often documents were asked for
        number_index bytea CHECK (length(number_index) = 32), -- keyed hash of the document's number
        provider_reference text,
        void_references text[] NOT NULL DEFAULT '{}', -- sessions of the provider that count no more, whatever they say
        changes int NOT NULL DEFAULT 0 CHECK (changes >= 0), -- how often another document was chosen
        reason text, -- why it was refused, asked for again or taken back; why an operator has to look
        note text, -- an operator's words
        created_at timestamptz NOT NULL,
        submitted_at timestamptz,
        decided_at timestamptz,
        decided_by uuid REFERENCES users, -- null: by the provider, or by time
        expires_at timestamptz, -- of who is verified
        CHECK (status <> 'in_review' OR submitted_at IS NOT NULL),
        CHECK (status NOT IN ('verified', 'expired', 'revoked') OR decided_at IS NOT NULL)
      );
      -- Whoever begins twice at once has begun once.
      CREATE UNIQUE INDEX ux_kyc_cases_live ON kyc_cases (user_id) WHERE status IN ('pending', 'in_review', 'resubmit', 'verified');
      CREATE UNIQUE INDEX ux_kyc_cases_reference ON kyc_cases (provider, provider_reference) WHERE provider_reference IS NOT NULL;
      CREATE INDEX ix_kyc_cases_user ON kyc_cases (user_id, id);
      CREATE INDEX ix_kyc_cases_status ON kyc_cases (status, id);
      CREATE INDEX ix_kyc_cases_number ON kyc_cases (number_index) WHERE number_index IS NOT NULL;

      -- The bytes are files, each under a key of its own: without this row nobody can read them.
      CREATE TABLE kyc_documents (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES kyc_cases,
        round int NOT NULL CHECK (round > 0),
        part text NOT NULL CHECK (part IN ('front', 'back', 'selfie')),
        media_type text NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png', 'application/pdf')),
        bytes int NOT NULL CHECK (bytes > 0),
        sha256 bytea NOT NULL CHECK (length(sha256) = 32), -- of what was sent
        data_key encrypted NOT NULL,
        uploaded_at timestamptz NOT NULL,
        CONSTRAINT ux_kyc_documents_part UNIQUE (case_id, round, part)
      );

      CREATE TABLE kyc_provider_events (
        id uuid PRIMARY KEY,
        provider text NOT NULL,
        event_id text NOT NULL,
        type text NOT NULL,
        provider_reference text NOT NULL,
        case_id uuid REFERENCES kyc_cases,
        received_at timestamptz NOT NULL,
        applied_at timestamptz,
        outcome text CHECK (outcome IN ('applied', 'stale', 'unknown')),
        CONSTRAINT ux_kyc_provider_events_event UNIQUE (provider, event_id),
        CHECK ((applied_at IS NULL) = (outcome IS NULL))
      );
      CREATE INDEX ix_kyc_provider_events_waiting ON kyc_provider_events (received_at) WHERE applied_at IS NULL;
      CREATE INDEX ix_kyc_provider_events_case ON kyc_provider_events (case_id) WHERE case_id IS NOT NULL;

      -- What somebody has paid in in all, or is about to.
      CREATE INDEX ix_payments_deposits ON payments (user_id, currency) INCLUDE (amount)
        WHERE purpose = 'deposit' AND status NOT IN ('failed', 'expired', 'cancelled');
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX ix_payments_deposits;
      DROP TABLE kyc_provider_events, kyc_documents, kyc_cases;
    `);
  }
}
