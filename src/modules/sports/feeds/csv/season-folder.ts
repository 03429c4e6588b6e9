import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportedGame, ImportIssue } from '../../importers/imported-game.js';
import { openSeason } from '../../importers/read-season-file.js';
import { SeasonFileError } from '../../importers/season-file-error.js';
import type { FeedProblem } from '../feed-problem.js';
import { FeedSilence } from '../feed-silence.js';

interface ReadFile {
  /** Size and time of the last change: another one is another file. */
  readonly stamp: string;
  readonly games: readonly ImportedGame[];
  readonly problems: readonly FeedProblem[];
}

export interface FolderContent {
  /** Another number whenever a file was added, changed or taken away. */
  readonly version: number;
  readonly games: readonly ImportedGame[];
}

/**
 * The season files of a folder (`*.csv`, in the order of their names), each read again when it has changed. A file that is to be
 * replaced is best renamed into its place: half of one is read as it is.
 */
export class SeasonFolder {
  private files = new Map<string, ReadFile>();
  private content: FolderContent = { version: 0, games: [] };
  private reading: Promise<FolderContent> | null = null;
  private found: FeedProblem[] = [];

  constructor(private readonly path: string) {}

  /** Read once, however many ask at the same time. Throws {@link FeedSilence} when the folder cannot be read. */
  async read(): Promise<FolderContent> {
    this.reading ??= this.readChanged().finally(() => {
      this.reading = null;
    });
    return await this.reading;
  }

  /** What was left out of the files that were read since. */
  problems(): readonly FeedProblem[] {
    const found = this.found;
    this.found = [];
    return found;
  }

  private async readChanged(): Promise<FolderContent> {
    const stamps = await this.stamps();
    const files = new Map<string, ReadFile>();
    for (const [name, stamp] of stamps) {
      const known = this.files.get(name);
      files.set(name, known?.stamp === stamp ? known : await this.readFile(name, stamp));
    }
    const isSame =
      files.size === this.files.size && [...files].every(([name, file]) => this.files.get(name) === file);
    if (isSame) return this.content;
    this.files = files;
    this.found = [...files.values()].flatMap(({ problems }) => problems);
    this.content = { version: this.content.version + 1, games: this.merged() };
    return this.content;
  }

  private async stamps(): Promise<Map<string, string>> {
    try {
      const entries = await readdir(this.path, { withFileTypes: true });
      const names = entries
        .filter((entry) => !entry.isDirectory() && /\.csv$/i.test(entry.name))
        .map(({ name }) => name);
      const stamps = new Map<string, string>();
      for (const name of names.toSorted()) {
        const { size, mtimeMs } = await stat(join(this.path, name));
        stamps.set(name, `${size} ${mtimeMs}`);
      }
      return stamps;
    } catch (error) {
      throw new FeedSilence(`the folder of season files cannot be read (${codeOf(error)})`);
    }
  }

  /** A file that is none has no games, and a problem. */
  private async readFile(name: string, stamp: string): Promise<ReadFile> {
    const games: ImportedGame[] = [];
    const problems: FeedProblem[] = [];
    try {
      for await (const row of await openSeason(join(this.path, name))) {
        if ('game' in row) games.push(row.game);
        else problems.push(problemOf(name, row.issue));
      }
      return { stamp, games, problems };
    } catch (error) {
      const problem = error instanceof SeasonFileError ? error.message : `cannot be read (${codeOf(error)})`;
      return { stamp, games: [], problems: [rowProblem(null, name, { problem })] };
    }
  }

  /** A game that is in several files is the first one's. */
  private merged(): ImportedGame[] {
    const games = new Map<string, ImportedGame>();
    for (const [name, file] of this.files)
      for (const game of file.games) {
        if (!games.has(game.externalId)) games.set(game.externalId, game);
        else
          this.found.push(
            rowProblem(game.externalId, `${name}:${game.line}`, { problem: 'is in another file too' }),
          );
      }
    return [...games.values()];
  }
}

function problemOf(
  name: string,
  { line, column, value, problem, externalId, market }: ImportIssue,
): FeedProblem {
  const details = { column: column ?? '', value: value ?? '', problem };
  if (market === undefined) return rowProblem(externalId, `${name}:${line}`, details);
  return { kind: 'market', externalId, subject: market, reason: 'MARKET_INCOMPLETE', details };
}

function rowProblem(
  externalId: string | null,
  subject: string,
  details: FeedProblem['details'],
): FeedProblem {
  return { kind: 'game', externalId, subject, reason: 'ROW_BAD', details };
}

function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return String(code ?? name);
}
