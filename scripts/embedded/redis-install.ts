import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Log } from './server-process.js';

const PROGRAMS = ['redis-server', 'valkey-server'];
/** Where package managers put programs that the caller's PATH may leave out. */
const USUAL_FOLDERS = ['/usr/local/bin', '/opt/homebrew/bin', '/usr/bin', '/usr/sbin', '/usr/local/sbin'];
const OWN_SERVER = 'or set REDIS_URL to a Redis of your own';

interface PackageManager {
  program: string;
  /** Ways to install, tried in this order; each is a list of commands that must all succeed. */
  attempts: string[][][];
  /** What to tell a person to run. */
  advice: string;
  /** brew refuses root and needs none. */
  asRoot: boolean;
}

const APT = [
  'apt-get',
  'install',
  '-y',
  '--no-install-recommends',
  '-o',
  'DPkg::Lock::Timeout=120',
  'redis-server',
];

const PACKAGE_MANAGERS: PackageManager[] = [
  {
    program: 'apt-get',
    // The second attempt is for a machine that has no package lists yet, or old ones.
    attempts: [[APT], [['apt-get', 'update', '-o', 'DPkg::Lock::Timeout=120'], APT]],
    advice: 'apt-get update && apt-get install -y redis-server',
    asRoot: true,
  },
  {
    program: 'dnf',
    attempts: [[['dnf', 'install', '-y', 'valkey']], [['dnf', 'install', '-y', 'redis']]],
    advice: 'dnf install -y valkey || dnf install -y redis',
    asRoot: true,
  },
  {
    program: 'apk',
    attempts: [[['apk', 'add', '--no-cache', 'redis']], [['apk', 'add', '--no-cache', 'valkey']]],
    advice: 'apk add redis',
    asRoot: true,
  },
  {
    program: 'pacman',
    attempts: [
      [['pacman', '-S', '--noconfirm', '--needed', 'valkey']],
      [['pacman', '-Sy', '--noconfirm', '--needed', 'valkey']],
    ],
    advice: 'pacman -S valkey',
    asRoot: true,
  },
  {
    program: 'brew',
    attempts: [[['brew', 'install', 'redis']]],
    advice: 'brew install redis',
    asRoot: false,
  },
];

/**
 * The path of `redis-server` or `valkey-server`. When neither is on this machine it is installed through the system's
 * package manager, if that is allowed: as root, with a sudo that asks for no password, or with brew.
 * @throws Error of one sentence with the command to run.
 */
export async function ensureRedisServer({ log }: { log?: Log } = {}): Promise<string> {
  const present = findServer();
  if (present) return present;

  const manager = PACKAGE_MANAGERS.find(({ program }) => findProgram(program) !== null);
  if (!manager) {
    throw new Error(
      `redis-server is not on PATH and this system has no package manager that Parley knows: install Redis 7 or ` +
        `Valkey 8, ${OWN_SERVER}.`,
    );
  }
  const prefix = rootPrefix(manager);
  const advice =
    manager.asRoot && process.getuid?.() !== 0 ? `sudo sh -c '${manager.advice}'` : manager.advice;
  if (prefix === null) {
    throw new Error(
      `redis-server is not on PATH and may not be installed from here: run "${advice}", ${OWN_SERVER}.`,
    );
  }

  log?.(`redis-server is not installed: installing it with ${manager.program}`);
  let output = '';
  for (const attempt of manager.attempts) {
    output = install(manager, prefix, attempt);
    const installed = findServer();
    if (installed) return installed;
  }
  throw new Error(
    `redis-server is not on PATH and ${manager.program} could not install it: run "${advice}", ${OWN_SERVER}.\n` +
      output.trim().split('\n').slice(-5).join('\n'),
  );
}

/** The words that make a command run as root; null when that is not allowed. */
function rootPrefix({ asRoot }: PackageManager): string[] | null {
  const root = process.getuid?.() === 0;
  if (!asRoot) return root ? null : [];
  if (root) return [];
  const sudo = findProgram('sudo');
  if (sudo && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0) return [sudo, '-n'];
  return null;
}

/**
 * Runs the commands until one fails.
 * @returns what the last one printed.
 */
function install({ program }: PackageManager, prefix: string[], commands: string[][]): string {
  const release = program === 'apt-get' ? keepServiceDown(prefix) : () => undefined;
  try {
    let printed = '';
    for (const command of commands) {
      // Through env, since sudo drops the variables of its caller.
      const line = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', ...command];
      const { status, output } = run(line);
      printed = output;
      if (status !== 0) break;
    }
    return printed;
  } finally {
    release();
  }
}

/**
 * Debian's package starts a server on port 6379, now and at each boot. RUNLEVEL=1 stops that for classic init;
 * systemd is told by a mask that lasts for the installation only. A unit that exists is somebody's: it is let be.
 */
function keepServiceDown(prefix: string[]): () => void {
  const unit = 'redis-server.service';
  const systemd = existsSync('/run/systemd/system') && findProgram('systemctl') !== null;
  if (!systemd || run(['systemctl', 'cat', unit]).status === 0) return () => undefined;

  run([...prefix, 'systemctl', 'mask', unit]);
  return () => {
    run([...prefix, 'systemctl', 'unmask', unit]);
    run([...prefix, 'systemctl', 'disable', unit]);
  };
}

function run(line: string[]): { status: number | null; output: string } {
  const [command = '', ...args] = line;
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, output: error ? String(error) : `${stdout}${stderr}` };
}

function findServer(): string | null {
  for (const program of PROGRAMS) {
    const path = findProgram(program);
    if (path) return path;
  }
  return null;
}

function findProgram(name: string): string | null {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...USUAL_FOLDERS]) {
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // not in this folder
    }
  }
  return null;
}
