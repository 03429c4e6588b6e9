import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import { ImportService } from '../modules/sports/import.service.js';
import { runCommand } from './context.js';

const SHOWN = 50;
const { positionals } = parseArgs({ allowPositionals: true });

/** Imports season files (nflverse games.csv, football-data.co.uk season CSVs); bad rows are listed and skipped. */
await runCommand(async (app) => {
  if (positionals.length === 0) throw new Error('Usage: import FILE.csv [FILE.csv …]');
  for (const path of positionals) {
    const bar = new cliProgress.SingleBar(
      { format: `${path} {bar} {percentage}%`, clearOnComplete: true, noTTYOutput: false },
      cliProgress.Presets.shades_classic,
    );
    bar.start(1, 0);
    const report = await app.get(ImportService).importFile(path, ({ bytesRead, totalBytes }) => {
      bar.setTotal(totalBytes);
      bar.update(bytesRead);
    });
    bar.stop();
    const { games, added, changed, prices, results, issues } = report;
    process.stdout.write(
      `${path}: ${games} games (${added} new, ${changed} changed), ${prices} prices, ${results} results, ${issues.length} problems\n`,
    );
    for (const { line, column, value, problem } of issues.slice(0, SHOWN))
      process.stdout.write(
        `  line ${line}${column === null ? '' : `, ${column}`}: ${problem}${value === null ? '' : ` (${value})`}\n`,
      );
    if (issues.length > SHOWN) process.stdout.write(`  … and ${issues.length - SHOWN} more\n`);
  }
});
