import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Devices on which somebody excluded themselves: accounts that are opened on one of them are shown to the compliance team. */
export class BarredDevices1763700000039 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- A keyed hash of what the client makes of its device, until the exclusion's term is over.
      CREATE TABLE barred_devices (
        device bytea NOT NULL,
        user_id uuid NOT NULL REFERENCES users,
        ends_at timestamptz, -- null: never
        created_at timestamptz NOT NULL,
        PRIMARY KEY (device, user_id)
      );
      CREATE INDEX ix_barred_devices_user ON barred_devices (user_id);
      CREATE INDEX ix_barred_devices_end ON barred_devices (ends_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE barred_devices');
  }
}
