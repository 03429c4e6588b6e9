import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isAlive, readJson, stopServer, runningServer } from '../embedded/server-process.js';
import { messageOf } from './lifetime.js';
import { entryOf, type ProcessName } from './product.js';
import type { Screen } from './screen.js';

const STOP_MS = 15_000;

interface Claim {
  /** The process that started the system. */
  readonly owner: number;
  readonly children: readonly { readonly name: ProcessName; readonly pid: number }[];
}

/**
 * Makes this process the only one of its program that runs a system on a data directory. What an earlier one left behind when it was
 * killed is stopped. Throws with a sentence when another one runs.
 */
export async function claimDirectory(file: string, program: string, screen: Screen): Promise<void> {
  const claim = await readJson<Claim>(file);
  if (claim !== null && claim.owner !== process.pid) {
    if (runs(claim.owner, program))
      throw new Error(
        `Another one of these runs on this data directory (process ${claim.owner}): stop it there with Ctrl-C, or set ` +
          'PARLEY_DATA_DIR to another folder to run a second one.',
      );
    for (const { name, pid } of claim.children) {
      if (!runs(pid, entryOf(name))) continue;
      screen.line(
        `The ${name} of an earlier start that was killed still runs (process ${pid}): stopping it.`,
      );
      await stopServer(runningServer(pid), [
        { signal: 'SIGTERM', waitMs: STOP_MS },
        { signal: 'SIGKILL', waitMs: STOP_MS },
      ]).catch((error: unknown) => screen.error(messageOf(error)));
    }
  }
  writeClaim(file, []);
}

/** Notes what would be left behind if this process were killed. */
export function writeClaim(file: string, children: Claim['children']): void {
  const claim: Claim = { owner: process.pid, children: children.map(({ name, pid }) => ({ name, pid })) };
  writeFileSync(file, JSON.stringify(claim));
}

export function releaseClaim(file: string): void {
  rmSync(file, { force: true });
}

/** Whether a process of this id runs that program: ids are given again. */
function runs(pid: number, program: string): boolean {
  if (!isAlive(pid)) return false;
  return commandOf(pid).includes(program);
}

function commandOf(pid: number): string {
  if (!existsSync('/proc/self/cmdline'))
    return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has ended meanwhile
  }
}
