import { Module } from '@nestjs/common';
import { PeoplePersonalData } from '../people-personal-data.repository.js';
import { UsersPersonalData } from '../users-personal-data.repository.js';
import { ClosingRepository } from './closing.repository.js';
import { ClosingService } from './closing.service.js';
import { ErasureService } from './erasure.service.js';
import { ExportChunks } from './export-chunks.service.js';
import { ExportWriterService } from './export-writer.service.js';
import { ExportsPersonalData } from './exports-personal-data.repository.js';
import { ExportsRepository } from './exports.repository.js';
import { ExportsService } from './exports.service.js';

/** Export, closing and erasure of accounts. */
@Module({
  providers: [
    ClosingService,
    ClosingRepository,
    ErasureService,
    ExportsService,
    ExportsRepository,
    ExportChunks,
    ExportWriterService,
    UsersPersonalData,
    PeoplePersonalData,
    ExportsPersonalData,
  ],
  exports: [ClosingService, ErasureService, ExportsService, ExportWriterService],
})
export class AccountPrivacyModule {}
