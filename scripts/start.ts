import { requireNode } from './launch/require-node.js';

requireNode();
const { start } = await import('./start/run.js');
process.exit(await start(process.argv.slice(2)));
