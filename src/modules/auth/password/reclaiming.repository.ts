import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** What an account was given to be entered by, besides its password; how many of each. */
export interface AddedWaysIn {
  phones: number;
  providers: number;
  secondFactors: number;
}

@Injectable()
export class ReclaimingRepository {
  /** Deletes all of it, recovery codes too, and voids the codes by which a number was to be added. */
  async removeWaysIn(manager: EntityManager, userId: string, now: Date): Promise<AddedWaysIn> {
    await manager.query('UPDATE otp_challenges SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL', [
      userId,
      now,
    ]);
    const removed = async (table: string) => {
      const [, count] = await manager.query<[unknown[], number]>(`DELETE FROM ${table} WHERE user_id = $1`, [
        userId,
      ]);
      return count;
    };
    return {
      phones: await removed('user_phones'),
      providers: await removed('oauth_identities'),
      secondFactors: await removed('totp'),
    };
  }
}
