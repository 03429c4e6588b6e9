import { Module } from '@nestjs/common';
import { ContactsController } from './contacts/contacts.controller.js';
import { ContactsRepository } from './contacts/contacts.repository.js';
import { ContactsService } from './contacts/contacts.service.js';
import { HandlesHousekeeping } from './profiles/handles.housekeeping.js';
import { ProfilesController } from './profiles/profiles.controller.js';
import { ProfilesRepository } from './profiles/profiles.repository.js';
import { ProfilesService } from './profiles/profiles.service.js';
import { BlocksController } from './social/blocks.controller.js';
import { BlocksRepository } from './social/blocks.repository.js';
import { BlocksService } from './social/blocks.service.js';
import { FollowsController } from './social/follows.controller.js';
import { FollowsRepository } from './social/follows.repository.js';
import { FollowsService } from './social/follows.service.js';
import { RelationsRepository } from './social/relations.repository.js';
import { RelationsService } from './social/relations.service.js';
import { UsersModule } from './users.module.js';

/** Profiles, and what stands between people: follows, blocks, mutes, contacts. */
@Module({
  imports: [UsersModule],
  controllers: [ProfilesController, FollowsController, BlocksController, ContactsController],
  providers: [
    ProfilesRepository,
    ProfilesService,
    HandlesHousekeeping,
    RelationsRepository,
    RelationsService,
    FollowsRepository,
    FollowsService,
    BlocksRepository,
    BlocksService,
    ContactsRepository,
    ContactsService,
  ],
  exports: [ProfilesService, RelationsService],
})
export class PeopleModule {}
