import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import {
  chmod,
  chown,
  lchown,
  link,
  mkdir,
  readFile,
  readdir,
  realpath,
  rename,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { runProgram, type PostgresBinaries } from './postgres-binaries.js';
import { errorCode, isAlive, remove, type Account, type Log } from './server-process.js';

export const SUPERUSER = 'postgres';

export interface Cluster {
  dataDir: string;
  account: Account | undefined;
  binaries: PostgresBinaries;
  /** Spares the disk at the first start; for data that nobody would miss. */
  noSync: boolean;
  log: Log | undefined;
}

/**
 * Makes the data directory when it is missing and sees that the server can use it.
 * @returns the superuser's password.
 * @throws Error telling what to do when the directory holds something else or another version's data.
 */
export async function prepareCluster(cluster: Cluster): Promise<string> {
  const { dataDir, account, binaries } = cluster;
  const password = await readPassword(dataDir);
  await removeInterrupted(dataDir);

  if (!(await holdsCluster(dataDir))) {
    const chosen = password ?? (await createPassword(dataDir));
    await initialise(cluster, chosen);
    return chosen;
  }
  const version = (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
  if (Number(version) !== binaries.major) {
    throw new Error(
      `The data in ${dataDir} is of Postgres ${version}, the installed programs are Postgres ${binaries.major}: ` +
        'move the folder away to start empty, or dump it with the old version first.',
    );
  }
  if (account) await giveTo(account, dataDir);
  if (password !== null) return password;

  const chosen = await createPassword(dataDir);
  await setPassword(cluster, chosen);
  return chosen;
}

/**
 * The server that runs on the data directory, by its postmaster.pid; null when there is none. A postmaster.pid whose
 * number has meanwhile gone to another program is removed, for Postgres would refuse to start over it.
 */
export async function findPostmaster(
  dataDir: string,
): Promise<{ pid: number; port: number; password: string | null } | null> {
  const file = join(dataDir, 'postmaster.pid');
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return null;
  if (!isAlive(pid)) {
    // A dead one is Postgres's own affair, except one that its parent never collected: the signal still reaches it.
    if (signalReaches(pid)) await remove(file);
    return null;
  }

  const sameFolder = (await resolved(lines[1] ?? '')) === (await resolved(dataDir));
  if (!sameFolder || !looksLikePostgres(pid)) {
    await remove(file);
    return null;
  }
  const port = Number(lines[3]);
  if (!Number.isInteger(port)) return null;
  return { pid, port, password: await readPassword(dataDir) };
}

/** Made beside its place and renamed into it, so that an interrupted initdb leaves no half-made data directory. */
async function initialise(cluster: Cluster, password: string): Promise<void> {
  const { dataDir, account, binaries, noSync, log } = cluster;
  log?.('Making the database: the first start takes some seconds longer');
  const staging = `${dataDir}.tmp-${process.pid}`;
  const passwordFile = join(staging, 'password');
  await remove(staging);
  await mkdir(staging, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account) await giveTo(account, staging);
  try {
    const { code, output } = await runProgram(
      binaries.initdb,
      [
        `--pgdata=${join(staging, 'data')}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-instructions',
        ...(noSync ? ['--no-sync'] : []),
      ],
      { account },
    );
    if (code !== 0) throw new Error(`initdb could not make ${dataDir}:\n${output.trim()}`);
    await rename(join(staging, 'data'), dataDir);
  } catch (error) {
    // Two first starts at the same time: the other one's directory, of the same password, stands.
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await remove(staging);
  }
}

/** @throws Error when the directory has files but is not a whole data directory. */
async function holdsCluster(dataDir: string): Promise<boolean> {
  const entries = await readdir(dataDir).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  if (entries.length === 0) return false;
  if (existsSync(join(dataDir, 'PG_VERSION')) && existsSync(join(dataDir, 'global', 'pg_control')))
    return true;
  throw new Error(
    `${dataDir} is not empty and not a whole Postgres data directory: move it away, and start again.`,
  );
}

/** Staging folders of starts that were killed while initdb ran. */
async function removeInterrupted(dataDir: string): Promise<void> {
  const prefix = `${basename(dataDir)}.tmp-`;
  for (const name of await readdir(dirname(dataDir))) {
    if (name.startsWith(prefix) && !isAlive(Number(name.slice(prefix.length)))) {
      await remove(join(dirname(dataDir), name));
    }
  }
}

async function readPassword(dataDir: string): Promise<string | null> {
  try {
    return (await readFile(`${dataDir}.password`, 'utf8')).trim() || null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw new Error(`Cannot read ${dataDir}.password: make it yours, or run as the user it belongs to.`, {
      cause: error,
    });
  }
}

/** Of two starts at the same time both get the password of the first. */
async function createPassword(dataDir: string): Promise<string> {
  const file = `${dataDir}.password`;
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    if ((await stat(file)).size === 0) await rename(draft, file);
  }
  await remove(draft);
  return (await readFile(file, 'utf8')).trim();
}

/** For a data directory whose password file was lost: the single-user mode asks for none. */
async function setPassword({ dataDir, account, binaries, log }: Cluster, password: string): Promise<void> {
  log?.(`${dataDir}.password was missing: setting a new password`);
  const { code, output } = await runProgram(binaries.postgres, ['--single', '-D', dataDir, 'postgres'], {
    account,
    input: `ALTER ROLE ${SUPERUSER} PASSWORD '${password}'\n`,
  });
  if (code === 0 && !/\b(ERROR|FATAL|PANIC):/.test(output)) return;
  await remove(`${dataDir}.password`);
  throw new Error(`Cannot set a new password for the data in ${dataDir}:\n${output.trim()}`);
}

/** Everything in the folder becomes the account's, when the folder is not its already. */
async function giveTo(account: Account, folder: string): Promise<void> {
  const { uid } = await stat(folder);
  if (uid === account.uid) return;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
  }
  // The folder last: its owner says that all of it was given.
  await chown(folder, account.uid, account.gid);
  await chmod(folder, 0o700);
}

/** Unsure counts as yes: to take a live server for a dead one would cost its data. */
function looksLikePostgres(pid: number): boolean {
  try {
    const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return basename(program) === 'postgres';
  } catch {
    if (existsSync('/proc/self/cmdline')) return true;
    const { status, stdout } = spawnSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' });
    return status !== 0 || basename(stdout.trim()) === 'postgres';
  }
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function resolved(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
