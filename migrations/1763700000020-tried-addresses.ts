import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When somebody last tried to open another account with a user's address and the user was told. */
export class TriedAddresses1763700000020 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE users ADD COLUMN address_tried_at timestamptz');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE users DROP COLUMN address_tried_at');
  }
}
