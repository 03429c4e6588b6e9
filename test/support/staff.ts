import type { Role } from '../../src/platform/security/subject.js';
import type { Builders } from './builders.js';
import type { Client } from './client.js';
import type { System } from './system.js';

/** Someone of that role with a live session. */
export async function someone(system: System, make: Builders, role: Role): Promise<Client> {
  const [client] = await make.players(1);
  await system.db.query('UPDATE users SET role = $2 WHERE id = $1', [client!.userId, role]);
  return client!;
}
