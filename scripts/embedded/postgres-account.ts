import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Account, Log } from './server-process.js';

/** Where root may keep what the server's account must reach. /var/tmp is last: systems tidy it after 30 days. */
const OUTSIDE = ['/var/lib', '/var/tmp'];
const ACCOUNT = 'postgres';

export interface Place {
  dataDir: string;
  /** Undefined: the caller's own account. */
  account: Account | undefined;
}

/**
 * Where the data directory stands and whose the server is. Postgres refuses to run as root, so for root it is the
 * owner of an existing data directory or the system account `postgres`, made when it is missing. A data directory in
 * a folder that is closed to that account (/root) stands outside instead, which is said in one line.
 * @throws Error telling what to do when the data directory is another user's or no account can be had.
 */
export async function choosePlace(dataDir: string, log?: Log): Promise<Place> {
  const owner = await ownerOf(dataDir);
  const self = process.getuid?.();
  if (self !== 0) {
    if (owner && owner.uid !== self) {
      throw new Error(
        `The data directory ${dataDir} belongs to user ${owner.uid}, perhaps of an earlier run as root: run as ` +
          `that user again, or make it yours with: sudo chown -R "$(id -u):$(id -g)" ${dirname(dataDir)}`,
      );
    }
    await mkdir(dirname(dataDir), { recursive: true });
    return { dataDir, account: undefined };
  }

  const account = owner && owner.uid !== 0 ? owner : unprivilegedAccount(log);
  await mkdir(dirname(dataDir), { recursive: true });
  if (await canEnter(account, dirname(dataDir))) return { dataDir, account };

  const outside = join(await outsideFolder(dataDir, account), basename(dataDir));
  log?.(`${dirname(dataDir)} is closed to the account ${account.name}: Postgres's data is in ${outside}`);
  const outsideOwner = await ownerOf(outside);
  return { dataDir: outside, account: outsideOwner && outsideOwner.uid !== 0 ? outsideOwner : account };
}

/** Whether the account can enter a folder, asked of the system: modes alone do not tell of ACLs and mounts. */
export async function canEnter(account: Account, folder: string): Promise<boolean> {
  const { status, error } = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], {
    uid: account.uid,
    gid: account.gid,
    cwd: '/',
    stdio: 'ignore',
  });
  if (error) {
    throw new Error(
      `This machine does not let root start Postgres as ${account.name}: run as a normal user, or give Parley a ` +
        'Postgres of your own in DATABASE_URL.',
      { cause: error },
    );
  }
  return status === 0;
}

/**
 * A folder of root's for what belongs to `path`, in a place that every account can reach.
 * @throws Error when no such place is left.
 */
export async function outsideFolder(path: string, account: Account): Promise<string> {
  const name = `parley-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`;
  for (const parent of OUTSIDE) {
    const folder = join(parent, name);
    await mkdir(folder).then(
      () => chmod(folder, 0o755), // past a strict umask
      () => undefined, // there already, or not possible here: the check below tells
    );
    const found = await lstat(folder).catch(() => null);
    // In /var/tmp anyone could have put a folder or a link of that name there first.
    const trusted = found?.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0;
    if (trusted && (await canEnter(account, folder))) return folder;
  }
  throw new Error(
    `The account ${account.name} can reach neither ${path} nor a folder in ${OUTSIDE.join(' or ')}: move the ` +
      'project out of /root, or give Parley a Postgres of your own in DATABASE_URL.',
  );
}

async function ownerOf(path: string): Promise<Account | null> {
  const found = await stat(path).catch(() => null);
  return found && { uid: found.uid, gid: found.gid, name: found.uid === 0 ? 'root' : `of uid ${found.uid}` };
}

function unprivilegedAccount(log: Log | undefined): Account {
  if (process.platform === 'darwin') return invokingAccount();
  const existing = lookUp(ACCOUNT);
  if (existing) return existing;

  const group = spawnSync('getent', ['group', ACCOUNT], { stdio: 'ignore' }).status === 0;
  const made = spawnSync(
    'useradd',
    [
      '--system',
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
      ...(group ? ['--gid', ACCOUNT] : ['--user-group']),
      ACCOUNT,
    ],
    { stdio: 'ignore' },
  );
  const created = made.status === 0 ? lookUp(ACCOUNT) : null;
  if (created) {
    log?.(`Postgres refuses to run as root: made the system account ${ACCOUNT} for it`);
    return created;
  }
  // initdb wants an account that has a name, so a bare number would not do.
  const nobody = lookUp('nobody');
  if (nobody) {
    log?.(`Postgres refuses to run as root, and no account ${ACCOUNT} could be made: running it as nobody`);
    return nobody;
  }
  throw new Error(
    `Postgres refuses to run as root and there is no other account: run "useradd --system ${ACCOUNT}", or run as ` +
      'a normal user.',
  );
}

/** Under sudo on macOS: the user who called it. */
function invokingAccount(): Account {
  const uid = Number(process.env.SUDO_UID);
  const gid = Number(process.env.SUDO_GID);
  if (uid > 0 && gid > 0) return { uid, gid, name: process.env.SUDO_USER ?? String(uid) };
  throw new Error('Postgres refuses to run as root: run as a normal user.');
}

function lookUp(name: string): Account | null {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
  if (uid?.status !== 0 || gid?.status !== 0) return null;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout), name };
}
