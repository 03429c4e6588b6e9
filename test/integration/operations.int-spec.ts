import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getQueueToken } from '@nestjs/bullmq';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Queue } from 'bullmq';
import { QUEUES } from '../../src/platform/jobs/queues.js';
import { serveOperations } from '../../src/platform/observability/operations-server.js';
import { gameResultRecorded } from '../../src/modules/sports/sports.events.js';
import { Builders, PASSWORD } from '../support/builders.js';
import { Client } from '../support/client.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { eventually, startSystem, type System } from '../support/system.js';

const METRICS_TOKEN = 'a token for machines only';
const WEEK = 202340;

endProcessesAfterAll();

describe('what an operator sees', () => {
  let system: System;
  let make: Builders;
  let server: Server;
  let workerUrl: string;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z', env: { METRICS_TOKEN } });
    make = new Builders(system);
    if (!system.worker) throw new Error('no worker');
    server = await serveOperations(system.worker, system.config);
    workerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    await system.stop();
  });

  async function scrape(url: string, token?: string): Promise<[number, string]> {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/metrics`, { headers });
    return [response.status, await response.text()];
  }

  it('tells figures of HTTP, pool, outbox, queues and event loop, to who has the token', async () => {
    await new Client(system.url).get('games');
    for (const url of [system.url, workerUrl]) {
      for (const token of [undefined, 'another token', `${METRICS_TOKEN}x`]) {
        const [status, text] = await scrape(url, token);
        expect([401, 404]).toContain(status);
        expect(text).not.toContain('parley_');
      }
      const [status, text] = await scrape(url, METRICS_TOKEN);
      expect(status).toBe(200);
      for (const figure of [
        /^parley_database_connections\{state="total"\} \d+$/m,
        /^parley_database_connections\{state="waiting"\} \d+$/m,
        /^parley_outbox_lag_seconds [\d.e-]+$/m,
        /^parley_outbox_waiting \d+$/m,
        /^parley_queue_jobs\{queue="outcome-settlement",state="failed"\} 0$/m,
        /^parley_queue_jobs\{queue="week-cycle",state="waiting"\} \d+$/m,
        /^nodejs_eventloop_lag_p99_seconds [\d.e-]+$/m,
        /^process_resident_memory_bytes \d+$/m,
      ])
        expect(text).toMatch(figure);
    }
    expect((await scrape(system.url, METRICS_TOKEN))[1]).toMatch(
      /^parley_http_request_duration_seconds_count\{method="GET",route="\/api\/v1\/games"/m,
    );
  });

  it('is ready, often asked or not', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async () => (await fetch(`${system.url}/health/ready`)).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect((await fetch(`${workerUrl}/health/ready`)).status).toBe(200);
    expect((await fetch(`${workerUrl}/health/live`)).status).toBe(200);
    expect((await fetch(`${workerUrl}/anything`)).status).toBe(404);
  });

  it('lists what failed every attempt, and runs it again', async () => {
    const [admin, [player]] = [await make.admin(), await make.players(1)];
    const gameId = randomUUID();
    const eventId = randomUUID();
    const queue = system.app.get<Queue>(getQueueToken(QUEUES.outcomeSettlement));
    const data = {
      eventId,
      topic: gameResultRecorded.topic,
      payload: { gameId, version: 0 },
      requestId: null,
    };
    await queue.add(data.topic, data, { jobId: eventId, attempts: 1 });
    const letters = async () => (await admin.get('admin/queues/dead-letters')).data as { attempts: number }[];
    const path = `admin/queues/dead-letters/${QUEUES.outcomeSettlement}/${eventId}/retry`;
    const expected = {
      queue: QUEUES.outcomeSettlement,
      jobId: eventId,
      topic: data.topic,
      payload: data.payload,
      attempts: 1,
      failedReason: expect.any(String),
      failedAt: expect.any(String),
    };
    await eventually(async () => (await letters()).length === 1);
    expect(await letters()).toEqual([expected]);
    const figures = (await admin.get('admin/queues')).data as { queue: string; failed: number }[];
    expect(figures.find(({ queue: name }) => name === QUEUES.outcomeSettlement)?.failed).toBe(1);

    // Its cause is there still: it fails again, and has had all its attempts again.
    const [before] = await queue.getFailed();
    expect((await admin.post(path)).status).toBe(200);
    await eventually(async () => ((await queue.getFailed())[0]?.finishedOn ?? 0) > (before?.finishedOn ?? 0));
    expect(await letters()).toEqual([expected]);

    expect((await player!.post(path)).status).toBe(403);
    expect((await admin.post(path.replace(eventId, randomUUID()))).status).toBe(404);
    expect((await admin.post(path.replace(QUEUES.outcomeSettlement, QUEUES.weekCycle))).status).toBe(404);

    await system.db.query(
      `INSERT INTO games (id, source, external_id, sport, league, season, home_team, away_team, starts_at, first_starts_at)
       VALUES ($1, 'test', 'mended', 'american_football', 'NFL', '2023', 'HOM', 'AWY', now(), now())`,
      [gameId],
    );
    expect((await admin.post(path)).status).toBe(200);
    await eventually(async () => (await letters()).length === 0);
    await eventually(async () => (await (await queue.getJob(eventId))?.getState()) === 'completed');
  });
});

describe('a log', () => {
  it('holds no secret, body or personal value', async () => {
    const system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    const make = new Builders(system);
    await make.week(WEEK, { group: false });
    const api = await (await TestProcess.start('api', { ...system.env, LOG_LEVEL: 'trace' })).ready();
    const email = `Somebody-${randomUUID()}@example.com`;
    const account = {
      email,
      password: PASSWORD,
      handle: 'somebody',
      birthDate: '1990-02-03',
      termsVersion: '2026-11',
    };
    const visitor = new Client(api.url);
    try {
      const registered = await visitor.post('auth/register', account);
      expect(registered.status).toBe(201);
      const { accessToken, refreshToken, user } = registered.data;
      await system.db.query(
        `INSERT INTO week_passes (user_id, week_id, source, created_at) VALUES ($1, $2, 'admin', now())`,
        [user.id, WEEK],
      );
      await make.week(WEEK);
      const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
      const someone = new Client(api.url, accessToken, user.id);
      const { id, odds } = game.spread;
      const bet = await someone.bet({ marketId: id, outcome: 'home', stake: 7, oddsId: odds['home'] });
      expect(bet.status).toBe(201);
      expect((await visitor.post('auth/login', { email, password: PASSWORD })).status).toBe(200);
      expect((await visitor.post('auth/login', { email, password: 'a wrong password' })).status).toBe(401);
      expect((await visitor.post('auth/register', account)).status).toBe(409);
      expect((await visitor.post('auth/login', `{"email":"${email}","password":"${PASSWORD}`)).status).toBe(
        400,
      );
      expect((await visitor.post('auth/refresh', { refreshToken })).status).toBe(200);
      expect((await someone.get(`bets?cursor=${email}`)).status).toBe(400);

      // What fails on our side is told, without the parameters of the statement.
      await system.db.query('ALTER TABLE credentials RENAME TO credentials_away');
      const failed = await visitor.post('auth/register', {
        ...account,
        email: `x${email}`,
        handle: 'somebody_else',
      });
      expect(failed.status).toBe(500);
      await system.db.query('ALTER TABLE credentials_away RENAME TO credentials');
      expect(JSON.stringify(failed.body)).not.toMatch(/credentials|INSERT/);

      await api.kill('SIGTERM');
      const { log } = api;
      const requests = log
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(requests).toContainEqual(
        expect.objectContaining({
          path: '/api/v1/bets',
          status: 201,
          userId: user.id,
          requestId: expect.any(String),
        }),
      );
      expect(requests).toContainEqual(
        expect.objectContaining({
          level: 50,
          requestId: failed.error.requestId,
          err: expect.objectContaining({ code: '42P01' }),
        }),
      );
      for (const secret of [
        PASSWORD,
        'a wrong password',
        accessToken,
        refreshToken,
        email,
        email.toLowerCase(),
        '$argon2',
      ])
        expect(log.includes(secret)).toBe(false);
      expect(log).not.toMatch(/"(body|parameters|authorization|stake|birthDate)"/i);
    } finally {
      await api.kill('SIGKILL');
      await system.stop();
    }
  });
});
