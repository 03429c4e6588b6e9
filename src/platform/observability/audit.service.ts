import { Injectable } from '@nestjs/common';
import { ClsService } from 'nestjs-cls';
import type { EntityManager } from 'typeorm';
import { newId } from '../database/ids.js';

export interface AuditEntry {
  /** Null when the system itself acted. */
  actorId: string | null;
  action: string;
  subjectType: string;
  subjectId: string;
  /** Ids and figures; never personal values. */
  details: object;
}

/** The append-only record of who did what, written in the transaction that did it. */
@Injectable()
export class AuditService {
  constructor(private readonly cls: ClsService) {}

  async record(manager: EntityManager, entry: AuditEntry): Promise<void> {
    await manager.query(
      `INSERT INTO audit_log (id, at, actor_id, action, subject_type, subject_id, details, request_id)
       VALUES ($1, parley_now(), $2, $3, $4, $5, $6, $7)`,
      [
        newId(),
        entry.actorId,
        entry.action,
        entry.subjectType,
        entry.subjectId,
        JSON.stringify(entry.details),
        this.cls.isActive() ? this.cls.getId() : null,
      ],
    );
  }
}
