import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { proveAgain } from '../support/proofs.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { someone } from '../support/staff.js';
import type { System } from '../support/system.js';
import { brokenMoney, moneyOf, waitingWithdrawals } from '../support/withdrawals.js';

const codeOf = ({ status, error }: Answer) => (status < 300 ? 'ok' : error.code);

/** What comes in at the same time is one call of the database. */
describe('noes of operators at the same time', () => {
  let system: System;
  let make: Builders;
  let admins: Client[];

  beforeAll(async () => {
    system = await startSystemWithRules({}, { at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    admins = [await someone(system, make, 'admin'), await someone(system, make, 'compliance')];
  });
  afterAll(async () => system.stop());
  afterEach(async () => {
    expect(await brokenMoney(system)).toEqual([]);
  });

  const reject = async (by: Client, id: string, note = 'no') =>
    await by.post(`admin/withdrawals/${id}/decide`, { decision: 'reject', note });

  it('give each its money back once, with one event and one entry of the audit log', async () => {
    const players = await make.players(40);
    const ids = await waitingWithdrawals(system, players);
    const answers = await Promise.all(
      ids.flatMap((id) => [
        reject(admins[0]!, id, `to ${id}`),
        reject(admins[1]!, id),
        reject(admins[0]!, id),
      ]),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(40);
    expect(new Set(answers.map(codeOf))).toEqual(new Set(['ok', 'WITHDRAWAL_ALREADY_DECIDED']));
    for (const player of players) expect(await moneyOf(player)).toEqual([300_000, 0]);
    const { rows } = await system.db.query(
      `SELECT subject_id AS id, actor_id, details, request_id IS NOT NULL AS asked FROM audit_log
       WHERE action = 'withdrawal.decided' AND subject_id = ANY ($1)`,
      [ids],
    );
    expect(rows).toHaveLength(ids.length);
    for (const [n, id] of ids.entries()) {
      const entry = rows.find((row) => row.id === id);
      expect(entry).toMatchObject({
        details: { decision: 'reject', userId: players[n]!.userId },
        asked: true,
      });
      const { data } = answers.find((answer) => answer.status === 200 && answer.data.id === id)!;
      expect(data).toMatchObject({ id, status: 'rejected', decidedBy: entry.actor_id });
    }
  });

  it('tell each what it is: not there, one’s own, decided, and the proof too old', async () => {
    const players = await make.players(2);
    const [decided, open] = (await waitingWithdrawals(system, players)) as [string, string];
    await reject(admins[0]!, decided);
    const [own] = (await waitingWithdrawals(system, [admins[1]!])) as [string];
    const codes = await Promise.all([
      reject(admins[1]!, own),
      reject(admins[1]!, decided),
      reject(admins[1]!, '01932f5e-0000-7000-8000-000000000000'),
      reject(admins[1]!, open),
    ]).then((answers) => answers.map(codeOf));
    expect(codes).toEqual(['WITHDRAWAL_OWN', 'WITHDRAWAL_ALREADY_DECIDED', 'WITHDRAWAL_NOT_FOUND', 'ok']);
    expect(codeOf(await reject(admins[0]!, own))).toBe('ok');

    const ids = await waitingWithdrawals(system, await make.players(2));
    await system.moveTo(new Date(system.now().getTime() + 16 * 60_000));
    await proveAgain(system, admins[0]!);
    const answers = await Promise.all(ids.map((id, n) => reject(admins[n]!, id)));
    expect(answers.map(codeOf)).toEqual(['ok', 'PROOF_TOO_OLD']);
    await proveAgain(system, admins[1]!);
    expect(codeOf(await reject(admins[1]!, ids[1]!))).toBe('ok');
  });

  it('are one, whether an id is written in small letters or capitals', async () => {
    const players = await make.players(2);
    const [first, second] = (await waitingWithdrawals(system, players)) as [string, string];
    const { status, data } = await reject(admins[0]!, first.toUpperCase());
    expect([status, data.id]).toEqual([200, first]);
    const answers = await Promise.all(
      [second, second.toUpperCase(), second].map((id, n) => reject(admins[n % 2]!, id)),
    );
    expect(answers.map(codeOf).toSorted()).toEqual([...Array(2).fill('WITHDRAWAL_ALREADY_DECIDED'), 'ok']);
    const { rows } = await system.db.query(
      "SELECT subject_id FROM audit_log WHERE action = 'withdrawal.decided' AND lower(subject_id) = ANY ($1) ORDER BY id",
      [[first, second]],
    );
    expect(rows).toEqual([{ subject_id: first }, { subject_id: second }]);
    for (const player of players) expect(await moneyOf(player)).toEqual([300_000, 0]);
  });

  it('do not wait for an operator whose row somebody has in hand', async () => {
    const players = await make.players(3);
    const ids = await waitingWithdrawals(system, players);
    const other = await system.db.connect();
    await other.query('BEGIN');
    await other.query('SELECT FROM users WHERE id = $1 FOR UPDATE', [admins[1]!.userId]);
    const waiting = reject(admins[1]!, ids[0]!);
    const answers = await Promise.all(ids.slice(1).map((id) => reject(admins[0]!, id)));
    expect(answers.map(codeOf)).toEqual(['ok', 'ok']);
    await other.query('COMMIT');
    other.release();
    expect(codeOf(await waiting)).toBe('ok');
  });

  it('wait for who has a withdrawal in hand, and hold up nobody else', async () => {
    const players = await make.players(4);
    const ids = await waitingWithdrawals(system, players);
    const other = await system.db.connect();
    await other.query('BEGIN');
    await other.query('SELECT FROM withdrawals WHERE id = $1 FOR UPDATE', [ids[0]]);
    const waiting = reject(admins[0]!, ids[0]!);
    const answers = await Promise.all(ids.slice(1).map((id) => reject(admins[0]!, id)));
    expect(answers.map(codeOf)).toEqual(['ok', 'ok', 'ok']);
    await other.query('COMMIT');
    other.release();
    expect(codeOf(await waiting)).toBe('ok');
  });
});
