import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type DocumentedOperation,
  type OpenApiDocument,
  operationsOf,
} from '../../scripts/openapi/document.js';
import { ROLES, type Role } from '../../src/platform/security/subject.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { someone } from '../support/staff.js';
import { startSystem, type System } from '../support/system.js';

/** Who may call what: written out, for it is the rule that the code is held against. */
const MAY_CALL: Record<string, Role[]> = {
  'GET /api/v1/admin/audit': ['compliance', 'admin'],
  'GET /api/v1/admin/audit.csv': ['compliance', 'admin'],
  'POST /api/v1/admin/clock': ['admin'],
  'GET /api/v1/admin/feeds': ['admin'],
  'GET /api/v1/admin/feed-quarantine': ['admin'],
  'POST /api/v1/admin/feed-quarantine/{id}/decide': ['admin'],
  'POST /api/v1/admin/games/{id}/result': ['admin'],
  'GET /api/v1/admin/harm-flags': ['compliance', 'admin'],
  'POST /api/v1/admin/harm-flags/{id}/decide': ['compliance', 'admin'],
  'GET /api/v1/admin/kyc': ['compliance', 'admin'],
  'GET /api/v1/admin/kyc/{id}': ['compliance', 'admin'],
  'GET /api/v1/admin/kyc/{id}/documents/{documentId}': ['compliance', 'admin'],
  'POST /api/v1/admin/kyc/{id}/decide': ['compliance', 'admin'],
  'POST /api/v1/admin/ledger/verify': ['admin'],
  'GET /api/v1/admin/ledger/verifications/{id}': ['admin'],
  'POST /api/v1/admin/games/{id}/markets': ['admin'],
  'PUT /api/v1/admin/markets/{id}/limit': ['admin'],
  'PUT /api/v1/admin/markets/{id}/prices': ['admin'],
  'GET /api/v1/admin/market-voids': ['admin'],
  'DELETE /api/v1/admin/market-voids/{id}': ['admin'],
  'POST /api/v1/admin/markets/{id}/resume': ['admin'],
  'POST /api/v1/admin/markets/{id}/suspend': ['admin'],
  'POST /api/v1/admin/markets/{id}/void': ['admin'],
  'GET /api/v1/admin/payments/differences': ['compliance', 'admin'],
  'POST /api/v1/admin/payments/differences/{id}/resolve': ['admin'],
  'GET /api/v1/admin/payments/{id}': ['compliance', 'admin'],
  'POST /api/v1/admin/payments/{id}/refund': ['admin'],
  'GET /api/v1/admin/queues': ['admin'],
  'GET /api/v1/admin/queues/dead-letters': ['admin'],
  'POST /api/v1/admin/queues/dead-letters/{queue}/{jobId}/retry': ['admin'],
  'GET /api/v1/admin/reports': ['moderator', 'admin'],
  'POST /api/v1/admin/reports/{id}/decide': ['moderator', 'admin'],
  'GET /api/v1/admin/settlements': ['admin'],
  'GET /api/v1/admin/settlements/{id}': ['admin'],
  'DELETE /api/v1/admin/users/{id}/totp': ['admin'],
  'GET /api/v1/admin/users': ['moderator', 'compliance', 'admin'],
  'PATCH /api/v1/admin/users/{id}': ['moderator', 'compliance', 'admin'],
  'POST /api/v1/admin/users/{id}/pass': ['admin'],
  'GET /api/v1/admin/users/{id}/stake-limit': ['compliance', 'admin'],
  'PUT /api/v1/admin/users/{id}/stake-limit': ['compliance', 'admin'],
  'GET /api/v1/admin/withdrawals': ['compliance', 'admin'],
  'POST /api/v1/admin/withdrawals/{id}/decide': ['compliance', 'admin'],
  'POST /api/v1/admin/withdrawals/{id}/resolve': ['compliance', 'admin'],
  'POST /api/v1/admin/weeks/{id}/group': ['admin'],
  'POST /api/v1/admin/weeks/{id}/settle': ['admin'],
};

describe('permissions', () => {
  let system: System;
  let operations: DocumentedOperation[];
  let clients: Record<Role, Client>;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    const document = (await (await fetch(`${system.url}/docs/openapi.json`)).json()) as OpenApiDocument;
    operations = operationsOf(document).filter(({ operation }) => operation['x-permissions'] !== undefined);
    const make = new Builders(system);
    clients = Object.fromEntries(
      await Promise.all(ROLES.map(async (role) => [role, await someone(system, make, role)] as const)),
    ) as Record<Role, Client>;
  });
  afterAll(async () => system.stop());

  it('are asked for by exactly the operations of the table, one permission each', () => {
    expect(operations.map(({ name }) => name).toSorted()).toEqual(Object.keys(MAY_CALL).toSorted());
    for (const { name, operation } of operations)
      expect([name, operation['x-permissions']?.length]).toEqual([name, 1]);
  });

  it('let each role call exactly what the table says', async () => {
    const before = await fingerprint(system);
    const found: Record<string, Role[]> = {};
    for (const { name, method, path } of operations) {
      found[name] = [];
      const filled = path.replace('/api/v1/', '').replace(/\{\w+\}/g, () => randomUUID());
      for (const role of ROLES) {
        // A body that nobody may send: whoever passes the guards is refused for it and changes nothing.
        const sent = method === 'GET' ? {} : { body: { unknown: true } };
        const { status, error } = await clients[role].call(method, filled, sent);
        const passed = status === 200 || status === 400 || status === 404;
        const outcome = passed ? 'passed' : `${status} ${error.code}`;
        expect(['passed', '403 FORBIDDEN']).toContain(outcome);
        if (passed) found[name].push(role);
      }
    }
    expect(found).toEqual(MAY_CALL);
    expect(await fingerprint(system)).toEqual(before);
  });

  it('name in a refusal what was missing', async () => {
    const { error } = await clients.seller.get('admin/audit');
    expect([error.code, error.details]).toEqual(['FORBIDDEN', { permission: 'audit.read' }]);
  });
});
