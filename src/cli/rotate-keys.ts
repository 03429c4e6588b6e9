import { KeyRotationService } from '../platform/security/key-rotation.service.js';
import { runCommand } from './context.js';

/** Encrypts everything again under the first key of ENCRYPTION_KEYS. May be stopped and run again at any time. */
await runCommand(async (app) => {
  const columns = await app.get(KeyRotationService).run();
  for (const { name, renewed, failed } of columns)
    process.stdout.write(`${name}: ${renewed} encrypted again${failed === 0 ? '' : `, ${failed} left`}\n`);
  if (columns.some(({ failed }) => failed > 0))
    throw new Error('Some values are under no key of ENCRYPTION_KEYS, or were moved. Take no key away yet.');
});
