import { EnumField, TextField, TimeField, UuidField } from '../../../../platform/http/fields.js';
import {
  REPORT_REASONS,
  REPORT_SUBJECTS,
  type ReportReason,
  type ReportState,
  type ReportSubject,
} from '../reports.types.js';

export class ReportParam {
  @UuidField()
  id: string;
}

export class NewReportDto {
  @EnumField(REPORT_REASONS)
  reason: ReportReason;

  @TextField({ optional: true, max: 1000, example: 'Sends the same link to everyone' })
  note?: string;

  @EnumField(REPORT_SUBJECTS, { optional: true, description: 'What is reported (default `user`)' })
  subjectType?: ReportSubject;
}

/** A report as who filed it sees it. */
export class FiledReportDto {
  @UuidField()
  id: string;

  @EnumField(REPORT_SUBJECTS)
  subjectType: ReportSubject;

  @TextField({ max: 100, example: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e' })
  subjectId: string;

  @EnumField(REPORT_REASONS)
  reason: ReportReason;

  @TextField({ max: 1000, nullable: true, example: 'Sends the same link to everyone' })
  note: string | null;

  @EnumField(['open'])
  status: ReportState;

  @TimeField()
  createdAt: string;
}
