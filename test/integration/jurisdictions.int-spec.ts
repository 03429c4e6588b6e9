import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createApi, createWorker } from '../../src/bootstrap.js';
import { JurisdictionsService } from '../../src/modules/compliance/jurisdictions.service.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { Rules } from '../../src/platform/config/rules.js';
import { configDir, type RuleChanges } from '../support/config-dir.js';
import { startSystem, type System } from '../support/system.js';

describe('the rules of places', () => {
  let system: System;
  const folders: (() => void)[] = [];

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
  });
  afterEach(() => {
    for (const remove of folders.splice(0)) remove();
  });
  afterAll(async () => system.stop());

  const version = () => system.app.get(Rules).jurisdictions.version;
  const audited = async () =>
    (
      await system.db.query<{ details: { version: string; before: string | null } }>(
        `SELECT details FROM audit_log WHERE action = 'compliance.jurisdictions-changed' ORDER BY id`,
      )
    ).rows.map(({ details }) => [details.version, details.before]);

  /** Another process of the same system, whose file says something else. */
  async function boot(changes: RuleChanges, create: typeof createApi | typeof createWorker = createApi) {
    const { path, remove } = configDir(changes);
    folders.push(remove);
    const app = await create(loadAppConfig({ ...system.env, CONFIG_DIR: path }));
    try {
      await app.init();
    } finally {
      await app.close().catch(() => undefined);
    }
  }

  it('are kept as they were read, once, whichever process comes first', async () => {
    await Promise.all([boot({}), boot({}), boot({}, createWorker)]);
    expect(await audited()).toEqual([[version(), null]]);
    const { rows } = await system.db.query(
      `SELECT version, content -> 'countries' -> 'US' -> 'parts' -> 'NY' ->> 'zone' AS zone FROM jurisdiction_versions`,
    );
    expect(rows).toEqual([{ version: version(), zone: 'America/New_York' }]);
  });

  it('do not boot when they have changed and their version has not', async () => {
    await expect(boot({ jurisdictions: { countries: { US: { minimumAge: 16 } } } })).rejects.toThrow(
      /jurisdictions\.version: .* raise it/,
    );
    expect((await audited()).map(([of]) => of)).toEqual([version()]);
  });

  it('are an audit row with each change', async () => {
    await boot({ jurisdictions: { version: 'next', countries: { US: { minimumAge: 17 } } } });
    expect(await audited()).toEqual([
      [version(), null],
      ['next', version()],
    ]);
    // A process of the version before may start while the new one is rolled out.
    await boot({});
    expect(await audited()).toHaveLength(2);
    await expect(system.db.query('DELETE FROM jurisdiction_versions')).rejects.toThrow();
  });

  it('tell whose rules hold in a place', () => {
    const of = (country: string | null, region: string | null = null, anonymous = false) =>
      system.app.get(JurisdictionsService).of({ country, region, anonymous });
    expect(of('US', 'NE')?.minimumAge).toBe(19);
    expect(of('US', 'XX')).toBeNull();
    expect(of('US')).toBeNull();
    expect(of('GB', 'ENG')?.zone).toBe('Europe/London');
    expect(of('FR')?.zone).toBe('Etc/GMT+12');
    expect(of('KP')?.products).toEqual([]);
    expect(of(null)).toBeNull();
    expect(of('FR', null, true)).toBeNull();
  });
});
