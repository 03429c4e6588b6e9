import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import { AuditVerifyService } from '../platform/audit-log/audit-verify.service.js';
import { runCommand } from './context.js';

const { values } = parseArgs({ options: { head: { type: 'string', multiple: true } } });

function headOf(text: string): { number: number; hash: string } {
  const [, number, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (number === undefined || hash === undefined)
    throw new Error('Usage: audit-verify [--head NUMBER:HASH …]');
  return { number: Number(number), hash };
}

/**
 * Proves that the audit log is what was sealed, beside the running system, and ends with 1 when it is not. `--head` names a
 * seal as it was told before (by this command, the worker's log or the metrics) and kept elsewhere.
 */
await runCommand(async (app) => {
  const told = (values.head ?? []).map(headOf);
  const bar = new cliProgress.SingleBar(
    { format: '{bar} {value} of {total} entries', clearOnComplete: true, noTTYOutput: false },
    cliProgress.Presets.shades_classic,
  );
  bar.start(1, 0);
  const report = await app.get(AuditVerifyService, { strict: false }).verify({
    told,
    onProgress: (read, total) => {
      bar.setTotal(Math.max(read, total));
      bar.update(read);
    },
  });
  bar.stop();
  const count = (n: number) => n.toLocaleString('en');
  process.stdout.write(
    `${count(report.entries)} entries under ${count(report.seals)} seals, read in ${(report.milliseconds / 1000).toFixed(1)} s\n`,
  );
  for (const { subject, problem } of report.problems) process.stdout.write(`WRONG  ${subject}: ${problem}\n`);
  if (report.found > report.problems.length) process.stdout.write('       and more\n');
  if (report.head) process.stdout.write(`The head to keep: ${report.head.number}:${report.head.hash}\n`);
  if (!report.passed)
    throw new Error(`The audit log is not as it was sealed: ${count(report.found)} problems.`);
  process.stdout.write('The audit log is as it was sealed.\n');
});
