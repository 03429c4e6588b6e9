import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Delete, Get, Module, Post } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import fc from 'fast-check';
import { decide } from '../../src/modules/compliance/domain/policy.js';
import { ComplianceRepository } from '../../src/modules/compliance/compliance.repository.js';
import { OperationsService } from '../../src/modules/compliance/operations.service.js';
import { Operates } from '../../src/platform/security/operates.decorator.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';

const AT = new Date('2023-10-03T12:00:00Z');
const HOUR = 3_600_000;

/** The place says nothing of its own: what is left is what the statement that books looks at. */
const ANYWHERE = {
  products: ['pools'],
  minimumAge: 18,
  zone: 'UTC',
  ageVerification: 'none',
  realityCheckMinutes: 60,
} as const;

@Controller('said')
class Said {
  @Get()
  read(): string {
    return 'read';
  }

  @Operates('account')
  @Post()
  write(): string {
    return 'write';
  }
}

@Controller('silent')
class Silent {
  @Delete(':id')
  remove(): string {
    return 'remove';
  }
}

@Module({ imports: [DiscoveryModule], providers: [OperationsService], controllers: [Said] })
class AllSaid {}

@Module({ imports: [DiscoveryModule], providers: [OperationsService], controllers: [Said, Silent] })
class OneSilent {}

describe('a route that does not say what it is', () => {
  const boot = async (module: object) => {
    const app = await NestFactory.create(module, { logger: false, abortOnError: false });
    await app.init();
    await app.close();
  };

  it('does not boot, unless it only reads', async () => {
    await boot(AllSaid);
    await expect(boot(OneSilent)).rejects.toThrow(/@Operates\): Silent\.remove$/);
  });
});

describe('the policy and the statement that books', () => {
  let system: System;
  let make: Builders;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: AT.toISOString() });
    make = new Builders(system);
  });
  afterAll(async () => system.stop());

  it('say the same of bars and of age', async () => {
    const repository = system.app.get(ComplianceRepository);
    const hours = fc.integer({ min: -50, max: 50 }).filter((n) => n !== 0);
    const bar = fc.record({
      kind: fc.constantFrom('self_exclusion' as const, 'time_out' as const),
      from: hours,
      lasts: fc.integer({ min: 1, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(bar, { maxLength: 3 }),
        fc.constantFrom('1990-01-01', '2005-10-02', '2005-10-03', '2005-10-04', '2010-01-01'),
        async (banned, bars, birthDate) => {
          const [{ userId }] = (await make.players(1, { birthDate })) as [Client];
          if (banned)
            await system.db.query(`UPDATE users SET status = 'banned', ban_reason = 'spam' WHERE id = $1`, [
              userId,
            ]);
          const rows = bars.map(({ kind, from, lasts }) => ({
            kind,
            startsAt: new Date(AT.getTime() + from * HOUR),
            endsAt: new Date(AT.getTime() + (from + lasts) * HOUR),
          }));
          for (const { kind, startsAt, endsAt } of rows)
            await system.db.query(
              `INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at) VALUES (gen_random_uuid(), $1, $2, $3, $4)`,
              [userId, kind, startsAt, endsAt],
            );
          const active = await repository.activeAt(userId, AT);
          const verdict = decide(
            {
              bars: [
                ...(banned ? [{ kind: 'ban', until: null } as const] : []),
                ...active.map(({ kind, ends_at: until }) => ({ kind, until })),
              ],
              birthDate,
              ageVerified: false,
              checkedAt: null,
              checkMinutes: null,
            },
            { operation: 'stake', product: 'pools' },
            { jurisdiction: ANYWHERE, minimumAge: 18, now: AT },
          );
          const { rows: said } = await system.db.query<{ code: string | null }>(
            'SELECT code FROM compliance_refusal($1, $2, 18)',
            [userId, AT],
          );
          expect([{ code: verdict?.code ?? null }]).toEqual(said);
        },
      ),
      { numRuns: 150 },
    );
  });
});
