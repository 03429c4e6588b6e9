import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { Builders } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { flagsOfHarm, MARKER } from '../support/harm.js';
import { someone } from '../support/staff.js';
import { startSystem, type System } from '../support/system.js';

const OTHER = {
  ...MARKER,
  marker: 'nightPlay',
  value: 70,
  threshold: 50,
  weight: 2,
  figures: { night: 7, bets: 10 },
};

describe('flags of harm', () => {
  let system: System;
  let make: Builders;
  let compliance: Client;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-10T12:00:00Z' });
    make = new Builders(system);
    compliance = await someone(system, make, 'compliance');
  });
  afterAll(async () => system.stop());

  const flag = async (player: Client, over: { score?: number; markers?: object[] } = {}) =>
    (await flagsOfHarm(system, [player], over))[0]!;
  const decide = async (by: Client, id: string, decision = 'contacted', note = 'Talked') =>
    await by.post(`admin/harm-flags/${id}/decide`, { decision, note });
  const outcome = ({ status, error }: Answer) => [status, error?.code ?? null];

  it('are told with the numbers behind each marker, to who may review them alone', async () => {
    const [player] = (await make.players(1)) as [Client];
    const id = await flag(player, { score: 5, markers: [MARKER, OTHER] });
    const { status, data } = await compliance.get(`admin/harm-flags?userId=${player.userId}`);
    expect(status).toBe(200);
    expect(data).toEqual([
      {
        id,
        userId: player.userId,
        handle: expect.any(String),
        status: 'open',
        firstDay: '2023-10-08',
        day: '2023-10-09',
        score: 5,
        markers: [MARKER, OTHER],
        createdAt: '2023-10-10T09:00:00.000Z',
        decidedAt: null,
        decidedBy: null,
        decision: null,
        note: null,
      },
    ]);
    for (const by of [player, await someone(system, make, 'moderator')]) {
      expect(outcome(await by.get('admin/harm-flags'))).toEqual([403, 'FORBIDDEN']);
      expect(outcome(await decide(by, id))).toEqual([403, 'FORBIDDEN']);
    }
  });

  it('are listed page by page, by user, marker, score and whether somebody has decided', async () => {
    const players = await make.players(7);
    const ids: string[] = [];
    for (const [index, player] of players.entries())
      ids.push(await flag(player, index % 2 ? { score: 9, markers: [OTHER] } : { score: 8 }));
    const listed = async (query: string) => {
      const seen: string[] = [];
      for (let cursor = ''; ;) {
        const { status, data, body } = await compliance.get(`admin/harm-flags?limit=3&${query}${cursor}`);
        expect(status).toBe(200);
        seen.push(...data.map((one: { id: string }) => one.id));
        const { nextCursor } = body.meta.pagination;
        if (nextCursor === null) return seen;
        cursor = `&cursor=${nextCursor}`;
      }
    };
    expect(await listed('leastScore=8')).toEqual(ids);
    expect(await listed('leastScore=9')).toEqual(ids.filter((_, index) => index % 2));
    expect(await listed('leastScore=8&marker=chasingLosses')).toEqual(
      ids.filter((_, index) => index % 2 === 0),
    );
    expect(await listed(`userId=${players[2]!.userId}`)).toEqual([ids[2]]);
    expect(await listed('leastScore=8&status=decided')).toEqual([]);
    for (const id of ids.slice(0, 4)) expect((await decide(compliance, id)).status).toBe(200);
    expect(await listed('leastScore=8&status=decided')).toEqual(ids.slice(0, 4));
    expect(await listed('leastScore=8')).toEqual(ids.slice(4));
    for (const query of ['marker=tired', 'leastScore=0', 'status=closed', 'userId=x', 'cursor=x'])
      expect((await compliance.get(`admin/harm-flags?${query}`)).status).toBe(400);
  });

  it('are decided once by 50 at once, written into the audit log by ids alone, and nothing happens to the user', async () => {
    const [player] = (await make.players(1)) as [Client];
    const id = await flag(player);
    const admin = await make.admin();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, n) =>
        decide(n % 2 ? compliance : admin, id, n % 2 ? 'dismissed' : 'contacted', `note ${n}`),
      ),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect(done).toHaveLength(1);
    for (const answer of answers.filter((one) => one !== done[0]))
      expect(outcome(answer)).toEqual([409, 'HARM_FLAG_ALREADY_DECIDED']);
    expect(done[0]!.data).toMatchObject({ status: 'decided', note: expect.stringMatching(/^note \d+$/) });
    const { rows } = await system.db.query(
      "SELECT actor_id, subject_id, details FROM audit_log WHERE action = 'compliance.harm-flag-decided' AND details->>'flagId' = $1",
      [id],
    );
    expect(rows).toEqual([
      {
        actor_id: done[0]!.data.decidedBy,
        subject_id: player.userId,
        details: { flagId: id, decision: done[0]!.data.decision, score: 3 },
      },
    ]);
    expect((await player.get('compliance/status')).data.mayStake).toBe(true);
  });

  it('that are not there are not found, and what nobody may say changes nothing', async () => {
    const [player] = (await make.players(1)) as [Client];
    const id = await flag(player);
    expect(outcome(await decide(compliance, v7()))).toEqual([404, 'HARM_FLAG_NOT_FOUND']);
    expect(outcome(await decide(compliance, id, 'punished'))).toEqual([400, 'VALIDATION_FAILED']);
    expect(outcome(await decide(compliance, id, 'contacted', ''))).toEqual([400, 'VALIDATION_FAILED']);
    expect((await compliance.get(`admin/harm-flags?userId=${player.userId}`)).data[0].status).toBe('open');
  });
});
