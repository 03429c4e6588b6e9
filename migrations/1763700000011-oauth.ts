import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Signing in by Google and Apple: whose accounts there are whose here, and what is under way. */
export class OAuth1763700000011 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE oauth_identities (
        provider text NOT NULL CHECK (provider IN ('google', 'apple')),
        subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255), -- the provider's own id of the person
        user_id uuid NOT NULL REFERENCES users,
        email text, -- as the provider told it when it was linked; it decides nothing afterwards
        email_verified boolean NOT NULL,
        private_relay boolean NOT NULL, -- the address forwards and may be switched off by its owner
        linked_at timestamptz NOT NULL,
        last_used_at timestamptz NOT NULL,
        PRIMARY KEY (provider, subject)
      );
      CREATE UNIQUE INDEX ux_oauth_identities_user ON oauth_identities (user_id, provider);

      -- Browsers that are on their way to a provider. A row is deleted by the answer that comes back: a state works once.
      CREATE TABLE oauth_requests (
        state_hash bytea PRIMARY KEY CHECK (length(state_hash) = 32),
        browser_hash bytea NOT NULL CHECK (length(browser_hash) = 32), -- of the secret in the browser's cookie
        provider text NOT NULL CHECK (provider IN ('google', 'apple')),
        redirect_to text NOT NULL,
        challenge text, -- S256 of what the app must show with the ticket
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_oauth_requests_expires ON oauth_requests (expires_at);

      -- What a provider has proved, until the app fetches it. Encrypted under the ticket, which is not stored.
      CREATE TABLE oauth_tickets (
        ticket_hash bytea PRIMARY KEY CHECK (length(ticket_hash) = 32),
        provider text NOT NULL CHECK (provider IN ('google', 'apple')),
        challenge text,
        sealed bytea NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_oauth_tickets_expires ON oauth_tickets (expires_at);

      -- ID tokens that have signed somebody in, until they would be refused anyway.
      CREATE TABLE oauth_used_tokens (
        token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_oauth_used_tokens_expires ON oauth_used_tokens (expires_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE oauth_used_tokens, oauth_tickets, oauth_requests, oauth_identities;
    `);
  }
}
