import { createHash } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ConfigError } from '../../platform/config/load-config.js';
import { Rules } from '../../platform/config/rules.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { JurisdictionVersionsRepository } from './jurisdiction-versions.repository.js';

/** Keeps what `config/jurisdictions.yml` said, so that it can be told which rules were in force when. A change is an audit row. */
@Injectable()
export class JurisdictionVersionsService implements OnApplicationBootstrap {
  constructor(
    private readonly repository: JurisdictionVersionsRepository,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly rules: Rules,
  ) {}

  /** Throws a ConfigError when the file says something else than it said under the same version. */
  async onApplicationBootstrap(): Promise<void> {
    const { version, content, hash } = versionOf(this.rules);
    await this.unitOfWork.run(async (manager) => {
      const { added, before } = await this.repository.add(manager, version, hash, content);
      if (added) {
        await this.audit.record(manager, {
          actorId: null,
          action: 'compliance.jurisdictions-changed',
          subjectType: 'jurisdictions',
          subjectId: version,
          details: { version, before, sha256: hash.toString('hex') },
        });
        return;
      }
      const known = await this.repository.hashOf(manager, version);
      if (known?.equals(hash) !== true)
        throw new ConfigError([
          `jurisdictions.version: the file has changed and its version ${version} has not: raise it`,
        ]);
    });
  }
}

/** What is kept of the file. */
export function versionOf({ jurisdictions }: Rules): { version: string; content: object; hash: Buffer } {
  const { version, usual, countries } = jurisdictions;
  const content = { usual, countries };
  return { version, content, hash: createHash('sha256').update(JSON.stringify(content)).digest() };
}
