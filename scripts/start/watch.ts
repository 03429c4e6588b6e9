import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Screen } from '../launch/screen.js';
import { runTool } from '../launch/product.js';

const FOLDERS = ['src', 'config', 'migrations'];
/** An editor writes several files, or one several times, for one change. */
const QUIET_MS = 150;
const SWC = 'node_modules/@swc/cli/bin/swc.js';

/** What has changed since the last restart. */
interface Changes {
  code: boolean;
  migrations: boolean;
}

/**
 * Rebuilds and restarts when files of the product change. A change that comes meanwhile is taken up afterwards; a build
 * or a start that fails is told, and the next change tries again.
 */
export function watchSources(options: {
  screen: Screen;
  signal: AbortSignal;
  restart: (migrate: boolean) => Promise<void>;
}): void {
  const { screen, signal, restart } = options;
  let changes: Changes | null = null;
  let timer: NodeJS.Timeout | undefined;
  let busy = false;

  const work = async (): Promise<void> => {
    if (busy || changes === null || signal.aborted) return;
    const taken = changes;
    changes = null;
    busy = true;
    try {
      if (taken.code) await screen.step('Building', () => build(signal));
      await restart(taken.migrations);
    } catch (error) {
      if (!signal.aborted) {
        screen.error(error instanceof Error ? error.message : String(error));
        screen.line('Waiting for the next change …');
      }
    } finally {
      busy = false;
    }
    await work();
  };
  const note = (folder: string, file: string): void => {
    if (!/\.(?:ts|yml)$/.test(file) || /[.-]spec\.ts$/.test(file)) return;
    changes ??= { code: false, migrations: false };
    changes.code ||= file.endsWith('.ts');
    changes.migrations ||= folder === 'migrations';
    clearTimeout(timer);
    timer = setTimeout(() => void work(), QUIET_MS);
  };
  const watchers = FOLDERS.map((folder) => new FolderWatcher(folder, (file) => note(folder, file)));
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  });
}

/**
 * Tells of changes in a folder and all below it. Each directory is watched by itself: on Linux Node's own recursive
 * watch loses a file that an editor replaces instead of writing it anew.
 */
class FolderWatcher {
  private readonly watchers = new Map<string, FSWatcher>();

  constructor(
    private readonly folder: string,
    private readonly changed: (file: string) => void,
  ) {
    this.lookForDirectories();
  }

  close(): void {
    for (const watcher of this.watchers.values()) watcher.close();
  }

  private lookForDirectories(): void {
    const directories = directoriesOf(this.folder);
    if (directories === null) return;
    const found = new Set(directories);
    for (const [directory, watcher] of this.watchers) {
      if (found.has(directory)) continue;
      watcher.close();
      this.watchers.delete(directory);
    }
    for (const directory of found) if (!this.watchers.has(directory)) this.watch(directory);
  }

  private watch(directory: string): void {
    const watcher = watch(directory, (event, file) => {
      if (file !== null) this.changed(file);
      if (event === 'rename') this.lookForDirectories();
    });
    watcher.on('error', () => watcher.close()); // it is gone; its parent tells
    this.watchers.set(directory, watcher);
  }
}

/** Null when a directory went away meanwhile: the event of that comes next. */
function directoriesOf(folder: string): string[] | null {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const below = entries.filter((entry) => entry.isDirectory());
    return [folder, ...below.map((entry) => join(entry.parentPath, entry.name))];
  } catch {
    return null;
  }
}

async function build(signal: AbortSignal): Promise<void> {
  const ignore = ['--ignore', join('**', '*.spec.ts')];
  await runTool([SWC, 'src', 'config', 'migrations', '-d', 'dist', '--quiet', ...ignore], {}, signal);
}
