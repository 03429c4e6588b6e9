import { createHook } from 'node:async_hooks';
import { it } from '@jest/globals';
import { startSystem } from '../support/system.js';
const live = new Map<number, [string, any]>();
it('x', async () => {
  createHook({
    init(id, type, _t, resource) {
      if (type === 'Timeout') live.set(id, [new Error('t').stack ?? '', resource]);
    },
    destroy(id) {
      live.delete(id);
    },
  }).enable();
  const system = await startSystem({ worker: true });
  await system.stop();
  await new Promise((r) => setTimeout(r, 1500));
  for (const [stack, r] of live.values())
    if (r.hasRef?.())
      process.stderr.write(`${r._idleTimeout}\n${stack.split('\n').slice(3, 12).join('\n')}\n\n`);
});
