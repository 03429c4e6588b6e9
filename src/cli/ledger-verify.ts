import { VerifyService } from '../modules/wallet/verify.service.js';
import { runCommand } from './context.js';

/** Proves the ledger, beside the running system, and ends with 1 when it does not hold. */
await runCommand(async (app) => {
  const { rules, ...figures } = await app.get(VerifyService, { strict: false }).verify(null);
  const count = (n: number) => n.toLocaleString('en');
  process.stdout.write(
    `${count(figures.entries)} entries of ${count(figures.transfers)} transfers on ${count(figures.accounts)} accounts, ` +
      `${count(figures.holds)} holds, read in ${(figures.milliseconds / 1000).toFixed(1)} s\n`,
  );
  for (const { rule, problems, more } of rules) {
    process.stdout.write(`${problems.length === 0 ? 'ok   ' : 'WRONG'}  ${rule}\n`);
    for (const { subject, problem } of problems) process.stdout.write(`         ${subject}: ${problem}\n`);
    if (more) process.stdout.write('         and more\n');
  }
  const broken = rules.filter(({ problems }) => problems.length > 0).length;
  if (broken > 0) throw new Error(`The ledger does not hold: ${broken} of ${rules.length} rules are broken.`);
  process.stdout.write('The ledger holds.\n');
});
