import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { AdminsService } from '../modules/auth/admins.service.js';
import { commandEnvironment } from '../platform/config/command-environment.js';
import { runCommand } from './context.js';

const { values } = parseArgs({
  options: { email: { type: 'string' }, handle: { type: 'string' }, 'birth-date': { type: 'string' } },
});

/** Opens an admin's account, or makes one of an account that exists. The password is read from ADMIN_PASSWORD or made. */
await runCommand(async (app) => {
  const { email, handle = 'admin', 'birth-date': birthDate = '1970-01-01' } = values;
  if (email === undefined) throw new Error('Usage: create-admin --email you@example.com [--handle admin]');
  const { adminPassword } = commandEnvironment();
  const password = adminPassword ?? randomBytes(15).toString('base64url');
  const made = await app.get(AdminsService).ensure({ email, handle, birthDate, password });
  process.stdout.write(
    made === 'created'
      ? `Created the admin ${email}${adminPassword === undefined ? ` with the password ${password}` : ''}.\n`
      : `${email} is an admin.\n`,
  );
});
