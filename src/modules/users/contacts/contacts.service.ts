import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Listed } from '../../../platform/http/answers.js';
import { cursorPage, DEFAULT_LIMIT } from '../../../platform/http/pagination.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { contactMachine, mayAskFrom } from '../domain/contact-machine.js';
import { positionOf } from '../social/list-position.js';
import { RelationsService } from '../social/relations.service.js';
import { contactAccepted, contactRequested } from '../users.events.js';
import { contactsErrors } from './contacts.errors.js';
import { type Contact, type ContactRow, ContactsRepository } from './contacts.repository.js';
import type { ContactDto, ContactsQuery } from './dto/contacts.dto.js';

/** Contacts: asked for by one, agreed to by the other. Doing a thing twice does it once. */
@Injectable()
export class ContactsService {
  constructor(
    private readonly repository: ContactsRepository,
    private readonly relations: RelationsService,
    private readonly unitOfWork: UnitOfWork,
    private readonly outbox: OutboxService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** Two who ask each other are contacts. Throws YOURSELF, USER_NOT_FOUND, CONTACT_DECLINED. */
  async request({ userId }: Subject, otherId: string): Promise<ContactDto> {
    return await this.unitOfWork.run(async (manager) => {
      await this.relations.meet(manager, userId, otherId);
      const contact = await this.repository.findOfPair(manager, userId, otherId);
      const id = contact?.id ?? newId();
      if (!contact) await this.ask(manager, id, userId, otherId);
      else if (contact.status === 'declined') await this.askAgain(manager, contact, userId, otherId);
      else if (contact.status === 'pending' && contact.requesterId === otherId)
        await this.decide(manager, contact, 'accept', userId);
      return toDto(await this.repository.getShown(manager, userId, id), userId);
    });
  }

  /** Throws CONTACT_NOT_FOUND, CONTACT_NOT_YOURS_TO_ANSWER, CONTACT_STATE_CONFLICT. */
  async accept(subject: Subject, id: string): Promise<ContactDto> {
    return await this.reply(subject, id, 'accept');
  }

  /** Throws CONTACT_NOT_FOUND, CONTACT_NOT_YOURS_TO_ANSWER, CONTACT_STATE_CONFLICT. */
  async decline(subject: Subject, id: string): Promise<ContactDto> {
    return await this.reply(subject, id, 'decline');
  }

  /** Ends a contact, or takes a request back. Throws CONTACT_NOT_FOUND, CONTACT_STATE_CONFLICT. */
  async remove({ userId }: Subject, id: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const { contact, otherId } = await this.hold(manager, userId, id);
      const from = contactMachine.from('remove');
      if (!(await this.repository.removeOfPair(manager, userId, otherId, from)))
        throw contactsErrors.CONTACT_STATE_CONFLICT({ status: contact.status });
    });
  }

  /** By the last request, newest first. Throws INVALID_CURSOR. */
  async list({ userId }: Subject, query: ContactsQuery): Promise<Listed<ContactDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const before = positionOf(query.cursor);
    const rows = await this.repository.listOf(userId, query.status ?? null, before, limit + 1);
    return cursorPage<ContactRow, ContactDto>(
      rows,
      limit,
      (row) => [row.requestedAt.getTime(), row.id],
      (row) => toDto(row, userId),
    );
  }

  private async ask(manager: EntityManager, id: string, userId: string, otherId: string): Promise<void> {
    await this.repository.insert(manager, {
      id,
      requesterId: userId,
      addresseeId: otherId,
      at: this.clock.now(),
    });
    await this.tellOfRequest(manager, id, userId, otherId);
  }

  private async askAgain(
    manager: EntityManager,
    { id, requesterId, answeredAt }: Contact,
    userId: string,
    otherId: string,
  ): Promise<void> {
    const now = this.clock.now();
    const from = mayAskFrom(
      { requesterId, answeredAt: answeredAt ?? now },
      userId,
      this.rules.people.askAgainDays,
    );
    if (now < from) throw contactsErrors.CONTACT_DECLINED({ mayAskAt: from.toISOString() });
    await this.repository.askAgain(manager, id, contactMachine.from('ask_again'), userId, now);
    await this.tellOfRequest(manager, id, userId, otherId);
  }

  private async reply({ userId }: Subject, id: string, event: 'accept' | 'decline'): Promise<ContactDto> {
    return await this.unitOfWork.run(async (manager) => {
      const { contact } = await this.hold(manager, userId, id);
      if (contact.requesterId === userId) throw contactsErrors.CONTACT_NOT_YOURS_TO_ANSWER();
      await this.decide(manager, contact, event, userId);
      return toDto(await this.repository.getShown(manager, userId, id), userId);
    });
  }

  /** Deciding again as before changes nothing. */
  private async decide(
    manager: EntityManager,
    { id, requesterId, status }: Contact,
    event: 'accept' | 'decline',
    userId: string,
  ): Promise<void> {
    const to = event === 'accept' ? 'accepted' : 'declined';
    if (status === to) return;
    if (!(await this.repository.answer(manager, id, contactMachine.from(event), to, this.clock.now())))
      throw contactsErrors.CONTACT_STATE_CONFLICT({ status });
    if (to === 'accepted')
      await this.outbox.publish(manager, contactAccepted, {
        contactId: id,
        requesterId,
        addresseeId: userId,
      });
  }

  /** The contact of the user's as it is once its pair is held: what it was before may have changed meanwhile. */
  private async hold(
    manager: EntityManager,
    userId: string,
    id: string,
  ): Promise<{ contact: Contact; otherId: string }> {
    const seen = await this.repository.findOf(manager, userId, id);
    if (!seen) throw contactsErrors.CONTACT_NOT_FOUND({ contactId: id });
    const otherId = seen.lowId === userId ? seen.highId : seen.lowId;
    if (!(await this.relations.meets(manager, userId, otherId)))
      throw contactsErrors.CONTACT_NOT_FOUND({ contactId: id });
    const contact = await this.repository.findOf(manager, userId, id);
    if (!contact) throw contactsErrors.CONTACT_NOT_FOUND({ contactId: id });
    return { contact, otherId };
  }

  private async tellOfRequest(
    manager: EntityManager,
    contactId: string,
    requesterId: string,
    addresseeId: string,
  ): Promise<void> {
    await this.outbox.publish(manager, contactRequested, { contactId, requesterId, addresseeId });
  }
}

function toDto(row: ContactRow, userId: string): ContactDto {
  return {
    id: row.id,
    status: row.status,
    direction: row.requesterId === userId ? 'outgoing' : 'incoming',
    user: row.user,
    requestedAt: row.requestedAt.toISOString(),
    answeredAt: row.answeredAt?.toISOString() ?? null,
  };
}
