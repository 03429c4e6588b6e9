import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { mmdbOf } from '../../scripts/geo/mmdb.js';

const COLORADO = { country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'CO' }] };

/**
 * A database in which every address is in Colorado: the addresses of documentation, from which tests send by a trusted proxy, are nowhere in
 * those of the world.
 */
export function everywhere(): string {
  const parent = process.env['PARLEY_TEST_FOLDER'];
  if (parent === undefined) throw new Error("PARLEY_TEST_FOLDER is not set: Jest's global setup sets it");
  const path = join(parent, `everywhere-${threadId}.mmdb`);
  if (!existsSync(path)) writeFileSync(path, mmdbOf({ '0.0.0.0/0': COLORADO, '2000::/3': COLORADO }));
  return path;
}
