import { Body, Controller, Delete, Get, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { socialErrors } from '../social/social.errors.js';
import { usersErrors } from '../users.errors.js';
import { contactsErrors } from './contacts.errors.js';
import { ContactsService } from './contacts.service.js';
import { ContactDto, ContactParam, ContactsQuery, RequestContactDto } from './dto/contacts.dto.js';

const ANSWER_ERRORS = [
  contactsErrors.CONTACT_NOT_FOUND,
  contactsErrors.CONTACT_NOT_YOURS_TO_ANSWER,
  contactsErrors.CONTACT_STATE_CONFLICT,
];

@ApiTags('contacts')
@ApiBearerAuth('session')
@Controller('contacts')
export class ContactsController {
  constructor(private readonly service: ContactsService) {}

  @Get()
  @Operation({
    summary: "The caller's contacts and requests, by the last request, newest first",
    answer: ContactDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(@CurrentSubject() subject: Subject, @Query() query: ContactsQuery): Promise<Listed<ContactDto>> {
    return await this.service.list(subject, query);
  }

  @Operates('social', 'social')
  @Post('request')
  @Operation({
    summary: 'Ask a user to be a contact',
    description:
      'Answers the contact there is, if any. Whom they have asked already accepts by asking. After a request was declined its ' +
      'author may ask again in 30 days, the other at any time.',
    answer: ContactDto,
    errors: [usersErrors.USER_NOT_FOUND, socialErrors.YOURSELF, contactsErrors.CONTACT_DECLINED],
  })
  async request(@CurrentSubject() subject: Subject, @Body() body: RequestContactDto): Promise<ContactDto> {
    return await this.service.request(subject, body.userId);
  }

  @Operates('social', 'social')
  @Put(':id/accept')
  @Operation({ summary: 'Accept a request', answer: ContactDto, errors: ANSWER_ERRORS })
  async accept(@CurrentSubject() subject: Subject, @Param() { id }: ContactParam): Promise<ContactDto> {
    return await this.service.accept(subject, id);
  }

  @Operates('account')
  @Put(':id/decline')
  @Operation({ summary: 'Decline a request', answer: ContactDto, errors: ANSWER_ERRORS })
  async decline(@CurrentSubject() subject: Subject, @Param() { id }: ContactParam): Promise<ContactDto> {
    return await this.service.decline(subject, id);
  }

  @Operates('account')
  @Delete(':id')
  @Operation({
    summary: 'End a contact, or take a request back',
    answer: null,
    errors: [contactsErrors.CONTACT_NOT_FOUND, contactsErrors.CONTACT_STATE_CONFLICT],
  })
  async remove(@CurrentSubject() subject: Subject, @Param() { id }: ContactParam): Promise<void> {
    await this.service.remove(subject, id);
  }
}
