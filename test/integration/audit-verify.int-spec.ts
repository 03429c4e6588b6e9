import { getQueueToken } from '@nestjs/bullmq';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Queue } from 'bullmq';
import { AuditChainRepository } from '../../src/platform/audit-log/audit-chain.repository.js';
import { type AuditReport, AuditVerifyService } from '../../src/platform/audit-log/audit-verify.service.js';
import {
  BEGINNING,
  type ChainEntry,
  type ChainHead,
  headOf,
  sealOf,
} from '../../src/platform/audit-log/chain.js';
import { QUEUES } from '../../src/platform/jobs/queues.js';
import { audited, sealAll, withoutEntries } from '../support/audit-chain.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { eventually, startSystem, type System } from '../support/system.js';

endProcessesAfterAll();

const TABLES = ['audit_log', 'audit_seals'];
const STRANGER = '00000000-0000-7000-8000-000000000001';

describe('the audit log’s verifier', () => {
  let system: System;
  /** Four seals, of 3, 4, 1 and 5 entries. */
  let seals: string[][];
  let head: ChainHead;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z', prepare: withoutEntries });
    seals = [];
    for (const entries of [3, 4, 1, 5]) {
      seals.push((await audited(system.db, entries)).toSorted());
      await sealAll(system);
    }
    head = (await verify()).head!; // which the log tells of, in an entry that is not sealed yet
    for (const table of TABLES) await system.db.query(`CREATE TABLE ${table}_kept AS TABLE ${table}`);
  });
  afterAll(async () => system.stop());
  beforeEach(async () => mend());

  async function verify(told: ChainHead[] = []): Promise<AuditReport> {
    return await system.app.get(AuditVerifyService, { strict: false }).verify({ told });
  }

  /** As whoever owns the database could: with the guards off, which then are on again. */
  async function behindItsBack(...statements: [text: string, values?: unknown[]][]): Promise<void> {
    const client = await system.db.connect();
    try {
      await client.query('BEGIN');
      await client.query('SET LOCAL session_replication_role = replica'); // no foreign keys
      for (const table of TABLES)
        await client.query(`ALTER TABLE ${table} DISABLE TRIGGER ${table}_append_only`);
      for (const [text, values] of statements)
        expect((await client.query(text, values)).rowCount).not.toBe(0);
      for (const table of TABLES)
        await client.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_append_only`);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }

  async function mend(): Promise<void> {
    await behindItsBack(
      ...TABLES.flatMap((table): [string][] => [
        [`DELETE FROM ${table}`],
        [`INSERT INTO ${table} SELECT * FROM ${table}_kept`],
      ]),
    );
  }

  const told = ({ problems }: AuditReport) =>
    problems.map(({ subject, problem }) => `${subject}: ${problem}`);

  /** What is found after these statements, which are undone again. */
  async function foundAfter(statements: string[], heads?: ChainHead[]): Promise<string[]> {
    await behindItsBack(...statements.map((text): [string] => [text]));
    const report = await verify(heads);
    await mend();
    expect([report.found, report.passed]).toEqual([report.problems.length, report.problems.length === 0]);
    return told(report);
  }

  it('passes what is as it was sealed, and counts it', async () => {
    const report = await verify([head]);
    expect(report).toMatchObject({ passed: true, seals: 4, entries: 13, problems: [], found: 0 });
    expect(report.head).toEqual({ number: 4, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await mend();
    expect((await verify([head])).passed).toBe(true);
  });

  it.each([
    ['actor', "actor_id = '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e'"],
    ['action', "action = 'test.undone'"],
    ['type of subject', "subject_type = 'user'"],
    ['subject', "subject_id = '2'"],
    ['details', `details = '{"n": 2}'`],
    ['request', 'request_id = NULL'],
    ['time, by a microsecond', "at = at + interval '1 microsecond'"],
    ['place, by a transaction that wrote nothing', 'tx = tx - 1'],
    ['id', `id = '${STRANGER}'`],
  ])('finds an entry of which was edited the %s', async (_, change) => {
    const [id] = seals[2]!;
    const found = await foundAfter([`UPDATE audit_log SET ${change} WHERE id = '${id}'`]);
    expect(found).toEqual([`seal 3: entry ${change.startsWith('id') ? STRANGER : id} was edited`]);
  });

  const one = (seal: number, place: number) => `'${seals[seal - 1]![place - 1]}'`;
  const copied = (tx: string) =>
    `INSERT INTO audit_log (id, at, action, subject_type, subject_id, details, request_id, tx)
     SELECT '${STRANGER}', at, action, subject_type, subject_id, details, request_id, ${tx}
     FROM audit_log WHERE id = ${one(2, 2)}`;
  const gone = (seal: number, place: number) => `DELETE FROM audit_log WHERE id = ${one(seal, place)}`;
  const named = (from: string, to: string) => `UPDATE audit_log SET id = ${to} WHERE id = ${from}`;

  it.each<[string, () => string[], () => string[]]>([
    ['an entry that is gone', () => [gone(2, 2)], () => ['seal 2: entry 2 of 4 is missing']],
    ['the first entry gone', () => [gone(1, 1)], () => ['seal 1: entry 1 of 3 is missing']],
    ['the last entry gone', () => [gone(4, 5)], () => ['seal 4: entry 5 of 5 is missing']],
    ['an entry that was inserted', () => [copied('tx')], () => [`seal 2: entry ${STRANGER} was inserted`]],
    [
      'an entry that was inserted before all others',
      () => [copied('0')],
      () => [`seal 1: entry ${STRANGER} was inserted`],
    ],
    [
      'an entry before what can be sealed',
      () => [copied('-2')],
      () => [`the log: entry ${STRANGER} is of a transaction that has not been`],
    ],
    [
      'an entry beyond what is sealed',
      () => [copied('10^15')],
      () => [`the log: entry ${STRANGER} is of a transaction that has not been`],
    ],
    [
      'entries of two transactions that changed places',
      () => [
        `UPDATE audit_log a SET tx = b.tx FROM audit_log b
         WHERE (a.id, b.id) IN ((${one(1, 1)}, ${one(2, 1)}), (${one(2, 1)}, ${one(1, 1)}))`,
      ],
      () => [
        'seal 1: entry 1 of 3 is missing',
        `seal 2: entry ${seals[1]![0]} was edited`, // stands behind the first seal now, and not where it was
        `seal 2: entry ${seals[0]![0]} was inserted`,
      ],
    ],
    [
      'entries of one transaction that changed places',
      () => [
        named(one(2, 1), `'${STRANGER}'`),
        named(one(2, 2), one(2, 1)),
        named(`'${STRANGER}'`, one(2, 2)),
      ],
      () => [`seal 2: entry ${seals[1]![0]} was edited`, `seal 2: entry ${seals[1]![1]} was edited`],
    ],
    [
      'a seal that covers less',
      () => ['UPDATE audit_seals SET entries = 2, digests = substr(digests, 1, 64) WHERE number = 1'],
      () => [
        'seal 1: its hash is not that of what it says',
        'seal 1: its digests are not those that it was made of',
        `seal 1: entry ${seals[0]![2]} was inserted`,
      ],
    ],
    [
      'a seal of another time',
      () => ["UPDATE audit_seals SET sealed_at = sealed_at + interval '1 second' WHERE number = 4"],
      () => ['seal 4: its hash is not that of what it says'],
    ],
    [
      'a seal with another hash',
      () => ["UPDATE audit_seals SET hash = sha256('x') WHERE number = 2"],
      () => ['seal 2: its hash is not that of what it says', 'seal 3: it does not follow the seal before it'],
    ],
    [
      'a seal that is gone',
      () => ['DELETE FROM audit_seals WHERE number = 3'],
      () => ['seal 4: seal 3 is missing', `seal 4: entry ${seals[2]![0]} was inserted`],
    ],
    [
      'the first seals gone',
      () => ['DELETE FROM audit_seals WHERE number < 3'],
      () => [
        'seal 3: seals 1 to 2 are missing',
        ...seals.slice(0, 2).flatMap((ids) => ids.map((id) => `seal 3: entry ${id} was inserted`)),
      ],
    ],
  ])('finds %s', async (_, statements, problems) => {
    const found = await foundAfter(statements());
    expect(found.toSorted()).toEqual(problems().toSorted());
  });

  it('finds a guard that is off, or does nothing', async () => {
    await system.db.query('ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only'); // not for replicas
    await system.db.query('ALTER TABLE audit_seals DISABLE TRIGGER audit_seals_append_only');
    const off = ['audit_log', 'audit_seals'].map(
      (table) => `the database: ${table} can be changed: its trigger is off, or gone`,
    );
    expect(told(await verify())).toEqual(off);
    await mend();
    await system.db.query(
      `CREATE FUNCTION refuse_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
       DROP TRIGGER audit_log_append_only ON audit_log;
       CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
         FOR EACH STATEMENT EXECUTE FUNCTION refuse_nothing();
       ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_append_only`,
    );
    expect(told(await verify())).toEqual(off.slice(0, 1));
    await system.db.query(
      `CREATE OR REPLACE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
         FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
       ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_append_only`,
    );
    await mend();
    expect((await verify()).passed).toBe(true);
  });

  const lost = () => `the chain: seal 4, ${head.hash}, is not in it: its end was cut off or replaced`;
  const SELF_TOLD = /^the chain: seal 4, as entry \S+ tells of it, was cut off or replaced$/;
  const SILENCED = "DELETE FROM audit_log WHERE action = 'audit.verified'";

  it('finds that the end was cut off: by what the log tells of it, and by what somebody has kept', async () => {
    const cut = [
      'DELETE FROM audit_seals WHERE number = 4',
      `DELETE FROM audit_log WHERE id IN (${seals[3]!.map((id) => `'${id}'`).join()})`,
    ];
    expect(await foundAfter(cut)).toEqual([expect.stringMatching(SELF_TOLD)]);
    expect(await foundAfter([...cut, SILENCED], [head])).toEqual([lost()]);
    // Nothing in the database can tell: that is what heads are kept elsewhere for.
    expect(await foundAfter([...cut, SILENCED])).toEqual([]);
  });

  it('finds that all was sealed anew after an edit, in the same ways', async () => {
    const chain = system.app.get(AuditChainRepository, { strict: false });
    const forge = async (...statements: string[]): Promise<void> => {
      await behindItsBack([`UPDATE audit_log SET action = 'test.undone' WHERE id = ${one(3, 1)}`]);
      const [, second, third, fourth] = await chain.seals(0, 4, 9);
      const entries = await chain.entries(BEGINNING, fourth!.last, 99);
      const under = (ids: string[]) =>
        entries.filter(({ id }) => ids.includes(id)) as [ChainEntry, ...ChainEntry[]];
      const newThird = sealOf(under(seals[2]!), headOf(second!), third!.sealedMicros);
      const newFourth = sealOf(under(seals[3]!), headOf(newThird), fourth!.sealedMicros);
      await behindItsBack(
        ...[newThird, newFourth].map((seal): [string, unknown[]] => [
          'UPDATE audit_seals SET digests = $2, entries_hash = $3, previous = $4, hash = $5 WHERE number = $1',
          [seal.number, seal.digests, seal.entriesHash, seal.previous, seal.hash],
        ]),
        ...statements.map((text): [string] => [text]),
      );
    };
    await forge();
    expect(told(await verify())).toEqual([expect.stringMatching(SELF_TOLD)]);
    await mend();
    await forge(SILENCED);
    expect(told(await verify([head]))).toEqual([lost()]);
    await mend();
    await forge(SILENCED);
    expect(told(await verify())).toEqual([]); // it was forged well
    await mend();
  });

  it('is a command that takes heads, and ends with 1 when something is found', async () => {
    const start = async (...args: string[]) => TestProcess.start('verifyAudit', system.env, args);
    const good = await start('--head', `4:${head.hash}`);
    expect([await good.ended, good.log]).toEqual([
      { code: 0, signal: null },
      expect.stringMatching(
        new RegExp(
          `^13 entries under 4 seals, read in \\S+ s\nThe head to keep: 4:${head.hash}\nThe audit log is as it was sealed.\n$`,
        ),
      ),
    ]);
    await behindItsBack([gone(2, 2)]);
    const bad = await start('--head', `4:${'0'.repeat(64)}`);
    expect((await bad.ended).code).toBe(1);
    await mend();
    expect(bad.log).toContain('WRONG  seal 2: entry 2 of 4 is missing\n');
    expect(bad.log).toContain(`WRONG  the chain: seal 4, ${'0'.repeat(64)}, is not in it`);
    expect(bad.log).toContain('The audit log is not as it was sealed: 2 problems.');
    const wrong = await start('--head', 'x');
    expect([(await wrong.ended).code, wrong.log]).toEqual([
      1,
      expect.stringContaining('Usage: audit-verify'),
    ]);
  }, 60_000);

  it('tells of the first hundred and counts all', async () => {
    const before = (await verify()).seals;
    await audited(system.db, 300);
    await sealAll(system);
    await behindItsBack(["DELETE FROM audit_log WHERE action = 'test.done' AND (details->>'n')::int > 150"]);
    const report = await verify();
    await mend();
    expect([report.seals, report.found, report.problems.length]).toEqual([before + 1, 150, 100]);
  });
});

describe('the audit log’s nightly verification', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
  });
  afterAll(async () => system.stop());

  const figures = async (): Promise<Record<string, string | undefined>> => {
    const text = await (await fetch(`${system.url}/metrics`)).text();
    const figure = (name: string) => new RegExp(`^parley_audit_${name} (\\S+)$`, 'm').exec(text)?.[1];
    const [, seal, hash] = /^parley_audit_head\{seal="(\d+)",hash="([0-9a-f]{64})"\} 1$/m.exec(text) ?? [];
    return {
      problems: figure('problems'),
      at: figure('verified_timestamp_seconds'),
      unsealed: figure('unsealed_seconds'),
      seal,
      hash,
    };
  };

  it('is done by the worker, and told as figures by every process, with the head to keep', async () => {
    const queue = system.worker!.get<Queue>(getQueueToken(QUEUES.auditVerify), { strict: false });
    const [nightly] = await eventually(async () => {
      const schedulers = await queue.getJobSchedulers();
      return schedulers.length > 0 && schedulers;
    });
    expect(nightly).toMatchObject({ key: 'nightly', pattern: '30 8 * * *', tz: 'UTC' });
    const [id] = await audited(system.db);
    await sealAll(system);
    await queue.add('verify', {});
    // Each figure asks for itself, so one scrape may show some of before.
    const first = await eventually(async () => {
      const found = await figures();
      return found['problems'] === '0' && found['at'] !== undefined && found['seal'] !== undefined && found;
    });
    const { rows } = await system.db.query<{ hash: string }>(
      "SELECT encode(hash, 'hex') AS hash FROM audit_seals WHERE number = $1",
      [first['seal']],
    );
    expect(first['hash']).toBe(rows[0]!.hash);
    await system.db.query(`ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only`);
    await system.db.query("UPDATE audit_log SET action = 'x' WHERE id = $1", [id]);
    await system.db.query(`ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_append_only`);
    await system.moveTo(new Date(system.now().getTime() + 3_600_000));
    await queue.add('verify', {});
    const second = await eventually(async () => {
      const found = await figures();
      return found['problems'] !== '0' && found['at'] !== first['at'] && found;
    });
    expect(second['problems']).toBe('1');
    expect(Number(second['at']) - Number(first['at'])).toBeGreaterThanOrEqual(3600);
    expect(await queue.getFailedCount()).toBe(0); // it has done what it should
  });

  it('is beside a figure of what is not sealed, which rises while nothing can be sealed', async () => {
    await eventually(async () => (await figures())['unsealed'] === '0', 60_000);
    const writing = await system.db.connect(); // a transaction that does not end
    await writing.query('BEGIN');
    await audited(writing);
    await audited(system.db);
    await system.moveTo(new Date(system.now().getTime() + 600_000));
    await eventually(async () => Number((await figures())['unsealed']) >= 600);
    await writing.query('ROLLBACK');
    writing.release();
    expect(await eventually(async () => (await figures())['unsealed'] === '0', 60_000)).toBe(true);
  }, 150_000);
});
