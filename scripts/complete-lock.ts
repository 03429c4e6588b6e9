/**
 * Adds to package-lock.json the packages for other platforms that npm left out when the lock was made on this one
 * (a known fault of npm's with optional dependencies): `npm ci` refuses a lock without them. They are installed only on
 * the platform they are for. Run after `npm install`: node scripts/complete-lock.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

const file = 'package-lock.json';
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> };
let added = 0;
for (const [path, owner] of Object.entries(lock.packages))
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue;
    const platform = platformOf(name);
    if (platform === null || !/^\d/.test(version)) continue;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(owner.dev === true ? { dev: true } : {}),
      optional: true,
      ...platform,
    };
    added += 1;
  }
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en')),
);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added} packages of other platforms added to ${file}\n`);

/** Whether the package that `path` would load under this name is in the lock: beside it or further up. */
function isLocked(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lock.packages) return true;
    if (folder === '') return false;
  }
}

/** The platform that such a package is for, by its name. */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> | null {
  const tail = name.split('/').at(-1) ?? '';
  const os = /(android|darwin|freebsd|linux|openharmony|win32)/.exec(tail)?.[1];
  const cpu = /(arm64|x64|ia32|ppc64|riscv64|s390x|loong64|arm)/.exec(tail)?.[1];
  if (os === undefined || cpu === undefined) return null;
  const libc = tail.includes('musl') ? ['musl'] : tail.includes('gnu') ? ['glibc'] : null;
  return { os: [os], cpu: [cpu], ...(libc === null ? {} : { libc }) };
}
