import { requireNode } from './launch/require-node.js';

requireNode();
const { demo } = await import('./demo/run.js');
process.exit(await demo(process.argv.slice(2)));
