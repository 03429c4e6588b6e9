import { SessionsService } from '../../src/modules/auth/sessions.service.js';
import type { Client } from './client.js';
import type { System } from './system.js';

/** The user has proved themselves again, just now, in all their sessions. */
export async function proveAgain(system: System, { userId }: Client): Promise<void> {
  const { rows } = await system.db.query<{ id: string }>(
    'SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL',
    [userId],
  );
  for (const { id } of rows) await system.app.get(SessionsService).reauthenticated({ sessionId: id });
}

/** Nobody has used the user's sessions for so long. */
export async function leaveAlone(system: System, { userId }: Client, seconds: number): Promise<void> {
  await system.db.query('UPDATE sessions SET last_used_at = $2 WHERE user_id = $1', [
    userId,
    new Date(system.now().getTime() - seconds * 1000),
  ]);
  await system.app.get(SessionsService).rereadAll(userId);
}
