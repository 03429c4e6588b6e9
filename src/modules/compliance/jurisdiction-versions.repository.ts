import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

@Injectable()
export class JurisdictionVersionsRepository {
  /** Whether it was not known before; the last one that was. Who comes at the same time waits and then finds it. */
  async add(
    manager: EntityManager,
    version: string,
    hash: Buffer,
    content: object,
  ): Promise<{ added: boolean; before: string | null }> {
    const [before] = await manager.query<{ version: string }[]>(
      'SELECT version FROM jurisdiction_versions ORDER BY read_at DESC, version LIMIT 1',
    );
    const rows = await manager.query<object[]>(
      `INSERT INTO jurisdiction_versions (version, content_hash, content) VALUES ($1, $2, $3)
       ON CONFLICT (version) DO NOTHING RETURNING version`,
      [version, hash, JSON.stringify(content)],
    );
    return { added: rows.length === 1, before: before?.version ?? null };
  }

  /** What the version said when it was first read. */
  async hashOf(manager: EntityManager, version: string): Promise<Buffer | null> {
    const [row] = await manager.query<{ content_hash: Buffer }[]>(
      'SELECT content_hash FROM jurisdiction_versions WHERE version = $1',
      [version],
    );
    return row?.content_hash ?? null;
  }
}
