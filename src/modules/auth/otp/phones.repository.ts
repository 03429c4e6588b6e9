import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

@Injectable()
export class PhonesRepository {
  /** Index: ux_user_phones_number. */
  async findOwner(manager: EntityManager, numberIndex: Buffer): Promise<string | null> {
    const [row] = await manager.query<{ user_id: string }[]>(
      'SELECT user_id FROM user_phones WHERE number_index = $1',
      [numberIndex],
    );
    return row?.user_id ?? null;
  }

  async findIndex(manager: EntityManager, userId: string): Promise<Buffer | null> {
    const [row] = await manager.query<{ number_index: Buffer }[]>(
      'SELECT number_index FROM user_phones WHERE user_id = $1',
      [userId],
    );
    return row?.number_index ?? null;
  }

  /** Gives a user this number, in place of an earlier one. Violates ux_user_phones_number when it is another's. */
  async put(
    manager: EntityManager,
    phone: { userId: string; number: Buffer; numberIndex: Buffer; now: Date },
  ): Promise<void> {
    await manager.query(
      `INSERT INTO user_phones (user_id, number, number_index, verified_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (user_id) DO UPDATE
       SET number = excluded.number, number_index = excluded.number_index, verified_at = excluded.verified_at`,
      [phone.userId, phone.number, phone.numberIndex, phone.now],
    );
  }
}
