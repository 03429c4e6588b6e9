import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database/database.js';

export interface NoticeAddressee {
  email: string;
  handle: string;
  /** Of the session that the notice is about, when it is about one. */
  device: string | null;
}

@Injectable()
export class SecurityNoticesRepository {
  constructor(private readonly database: Database) {}

  /** Null when the account has no email, or is erased. */
  async find(userId: string, sessionId: string | null): Promise<NoticeAddressee | null> {
    const [row] = await this.database.query<NoticeAddressee>(
      'security_notices.addressee',
      `SELECT u.email, u.handle, s.device FROM users u LEFT JOIN sessions s ON s.id = $2 AND s.user_id = u.id
       WHERE u.id = $1 AND u.email IS NOT NULL AND u.status <> 'erased'`,
      [userId, sessionId],
    );
    return row ?? null;
  }
}
