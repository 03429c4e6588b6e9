import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { mailErrors } from './mail.errors.js';
import { linkRequested } from './mail.events.js';
import { MailLinksRepository } from './mail-links.repository.js';
import type { LinkPurpose } from './mail-links.types.js';

const ID_BYTES = 16;
const SECRET_BYTES = 32;
const HOUR_MS = 3_600_000;

/** A link whose secret was right: whom it lets do what it is for. */
export interface ProvedLink {
  readonly id: string;
  readonly purpose: LinkPurpose;
  readonly userId: string;
  readonly email: string;
  readonly handle: string;
}

/** A link that is ready to be mailed. */
export interface PreparedLink {
  readonly email: string;
  readonly handle: string;
  /** Goes into the mail and nowhere else. */
  readonly token: string;
}

/**
 * Links that prove who reads an address. The request stores a row without a secret; the worker makes the secret when it sends
 * the mail, so that it lies in no database, queue or log, and stores its hash, bound to the address that it goes to.
 */
@HasHousekeeping()
@Injectable()
export class MailLinksService implements Forgetful {
  readonly forgets = [async (limit: number) => await this.repository.forget(this.clock.now(), limit)];

  constructor(
    private readonly repository: MailLinksRepository,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  async request(manager: EntityManager, purpose: LinkPurpose, userId: string): Promise<void> {
    const id = newId();
    await this.repository.insert(manager, { id, purpose, userId, now: this.clock.now() });
    await this.outbox.publish(manager, linkRequested[purpose], { linkId: id });
  }

  /** For whoever has the address, if anybody: nothing here, nor how long it takes, tells. */
  async requestFor(manager: EntityManager, purpose: LinkPurpose, email: string): Promise<void> {
    const id = newId();
    await this.repository.insertForEmail(manager, { id, purpose, email, now: this.clock.now() });
    await this.outbox.publish(manager, linkRequested[purpose], { linkId: id });
  }

  /** Throws RATE_LIMITED when the account has asked for as many in the last hour as it is sent. */
  async requireAllowance(manager: EntityManager, purpose: LinkPurpose, userId: string): Promise<void> {
    const limit = this.rules.auth.mail.linksPerHour;
    await this.repository.lockUser(manager, userId);
    const asked = await this.repository.requestedSince(manager, userId, purpose, this.anHourAgo());
    const frees = asked.at(-limit);
    if (frees === undefined) return;
    const waitMs = frees.getTime() + HOUR_MS - this.clock.now().getTime();
    throw httpErrors.RATE_LIMITED({ limit, retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) });
  }

  /**
   * Makes the secret of a link, in place of the one that an earlier attempt to send may have made. Null when there is nothing
   * to send: nobody has the address, the link is sent or of no use any more, or the account was sent enough of them.
   */
  async prepare(id: string): Promise<PreparedLink | null> {
    return await this.unitOfWork.run(async (manager) => {
      const now = this.clock.now();
      const link = await this.repository.lockUnsent(manager, id, now);
      if (!link || link.email === null) return null;
      if (link.purpose === 'email_verification' && link.email_verified_at !== null) return null;
      const { user_id: userId, purpose, email, handle } = link;
      const sent = await this.repository.countPrepared(manager, {
        id,
        userId,
        purpose,
        since: this.anHourAgo(),
      });
      if (sent >= this.rules.auth.mail.linksPerHour) return null;
      const secret = randomBytes(SECRET_BYTES);
      const expiresAt = new Date(now.getTime() + this.lifetimeMs(purpose));
      await this.repository.prepare(manager, id, hashOf(secret, email), expiresAt);
      return { email, handle, token: Buffer.concat([bytesOf(id), secret]).toString('base64url') };
    });
  }

  async markSent(id: string): Promise<void> {
    await this.repository.markSent(id, this.clock.now());
  }

  /** Whose link this is, not yet used. Throws LINK_INVALID. */
  async prove(purpose: LinkPurpose, token: string): Promise<ProvedLink> {
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.length !== ID_BYTES + SECRET_BYTES) throw mailErrors.LINK_INVALID();
    const id = uuidOf(bytes.subarray(0, ID_BYTES));
    const link = await this.repository.findOpen(id, purpose, this.clock.now());
    if (!link || link.email === null) throw mailErrors.LINK_INVALID();
    const { user_id: userId, email, handle } = link;
    if (!timingSafeEqual(hashOf(bytes.subarray(ID_BYTES), email), link.secret_hash))
      throw mailErrors.LINK_INVALID();
    return { id, purpose, userId, email, handle };
  }

  /** Uses the link up, and with it every other of its kind that the account has. Of two at once one gets LINK_INVALID. */
  async use(manager: EntityManager, { id, purpose, userId }: ProvedLink): Promise<void> {
    await this.repository.lockUser(manager, userId);
    const ended = await this.repository.endAll(manager, userId, purpose, this.clock.now());
    if (!ended.includes(id)) throw mailErrors.LINK_INVALID();
  }

  /** Ends the account's unused links of this kind: what they were for has been done another way. */
  async endAll(manager: EntityManager, userId: string, purpose: LinkPurpose): Promise<void> {
    await this.repository.lockUser(manager, userId);
    await this.repository.endAll(manager, userId, purpose, this.clock.now());
  }

  private lifetimeMs(purpose: LinkPurpose): number {
    const { verificationSeconds, resetSeconds } = this.rules.auth.mail;
    return 1000 * (purpose === 'email_verification' ? verificationSeconds : resetSeconds);
  }

  private anHourAgo(): Date {
    return new Date(this.clock.now().getTime() - HOUR_MS);
  }
}

function hashOf(secret: Uint8Array, email: string): Buffer {
  return createHash('sha256').update(secret).update(email).digest();
}

function bytesOf(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
