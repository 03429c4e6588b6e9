import { join } from 'node:path';
import { claimDirectory, releaseClaim } from '../launch/claim.js';
import { prepareEnvironment, readPublishedRules } from '../launch/environment.js';
import { Lifetime, messageOf } from '../launch/lifetime.js';
import { Screen, seconds } from '../launch/screen.js';
import { boundsOfWeek } from '../launch/season.js';
import { checkWeek } from './check.js';
import { Meter } from './meter.js';
import { checkMoney } from './money.js';
import { readDemoOptions } from './options.js';
import { report } from './report.js';
import { signUpAndDraw } from './sign-up.js';
import { setStage } from './stage.js';
import { playWeek } from './week.js';

const CLAIM_FILE = 'demo.json';
/** Players sign up on the evening before the week. */
const EVENING_BEFORE = { hours: 4 };

/**
 * `npm run demo`: plays a whole real week through the running product, over HTTP as clients do. Returns the exit code:
 * 1 when anything does not add up, 130 when it was interrupted.
 */
export async function demo(args: string[]): Promise<number> {
  const screen = new Screen();
  const lifetime = new Lifetime(screen);
  let claim: string | undefined;
  let code = 0;
  try {
    const dataDir = prepareEnvironment();
    const rules = readPublishedRules();
    const options = readDemoOptions(args, rules.zone);
    const file = join(dataDir, CLAIM_FILE);
    await claimDirectory(file, 'demo.js', screen);
    claim = file;
    code = await perform({ screen, lifetime, rules, options, dataDir, claim });
  } catch (error) {
    code = lifetime.signal.aborted ? 130 : 1;
    if (code === 1) screen.error(messageOf(error));
  }
  const clean = await lifetime.stopAll();
  if (claim !== undefined) releaseClaim(claim);
  return clean ? code : 1;
}

async function perform(given: {
  screen: Screen;
  lifetime: Lifetime;
  rules: ReturnType<typeof readPublishedRules>;
  options: ReturnType<typeof readDemoOptions>;
  dataDir: string;
  claim: string;
}): Promise<number> {
  const { screen, options, rules, dataDir, claim } = given;
  const since = performance.now();
  const meter = new Meter();
  const startAt = boundsOfWeek(options.week, rules.zone).startsAt.minus(EVENING_BEFORE).toJSDate();
  const stage = await setStage({ ...given, meter }, { dataDir, claim, startAt });
  screen.line(`\nPlaying week ${options.week} at ${stage.base}\n`);

  const drawn = await signUpAndDraw(stage);
  const played = await playWeek(stage, drawn);
  const checked = await meter.time('checks', () => checkWeek(stage, drawn, played));
  const money = await meter.time('money', () => checkMoney(stage, drawn, checked));
  screen.line(`\n${report(stage, drawn, played, { ...checked, money })}`);
  screen.line(`The whole demo took ${seconds(performance.now() - since)}.`);
  return stage.records.faults.length === 0 ? 0 : 1;
}
