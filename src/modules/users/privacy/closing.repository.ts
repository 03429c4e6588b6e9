import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

interface ClosingRow {
  status: 'active' | 'banned' | 'erased';
  closing_at: Date | null;
}

@Injectable()
export class ClosingRepository {
  /** Sets the time unless one is set already; the one that holds, and whether it is new. Null for who is erased. */
  async close(
    manager: EntityManager,
    userId: string,
    closingAt: Date,
  ): Promise<{ closingAt: Date; isNew: boolean } | null> {
    const before = await this.lock(manager, userId);
    if (!before || before.status === 'erased') return null;
    if (before.closing_at !== null) return { closingAt: before.closing_at, isNew: false };
    await manager.query('UPDATE users SET closing_at = $2 WHERE id = $1', [userId, closingAt]);
    return { closingAt, isNew: true };
  }

  /** False when the account was not being closed. */
  async restore(manager: EntityManager, userId: string): Promise<boolean> {
    const [, changed] = await manager.query<[unknown[], number]>(
      "UPDATE users SET closing_at = NULL WHERE id = $1 AND closing_at IS NOT NULL AND status <> 'erased'",
      [userId],
    );
    return changed > 0;
  }

  /** Waits for the stakes that are being placed by this user, and for whoever closes or restores the account. */
  async lockWithStakes(manager: EntityManager, userId: string): Promise<ClosingRow | null> {
    await manager.query('SELECT parley_gate_shut($1)', [userId]);
    return await this.lock(manager, userId);
  }

  private async lock(manager: EntityManager, userId: string): Promise<ClosingRow | null> {
    const [row] = await manager.query<ClosingRow[]>(
      'SELECT status, closing_at FROM users WHERE id = $1 FOR UPDATE',
      [userId],
    );
    return row ?? null;
  }
}
