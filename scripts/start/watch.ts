import { type FSWatcher, watch } from 'node:fs';
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
  const note = (folder: string, file: string | null): void => {
    if (file === null || !/\.(?:ts|yml)$/.test(file) || /[.-]spec\.ts$/.test(file)) return;
    changes ??= { code: false, migrations: false };
    changes.code ||= file.endsWith('.ts');
    changes.migrations ||= folder === 'migrations';
    clearTimeout(timer);
    timer = setTimeout(() => void work(), QUIET_MS);
  };
  const watchers: FSWatcher[] = FOLDERS.map((folder) =>
    watch(folder, { recursive: true }, (_, file) => note(folder, file)),
  );
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  });
}

async function build(signal: AbortSignal): Promise<void> {
  const ignore = ['--ignore', join('**', '*.spec.ts')];
  await runTool([SWC, 'src', 'config', 'migrations', '-d', 'dist', '--quiet', ...ignore], {}, signal);
}
