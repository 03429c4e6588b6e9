import { EnumField, IntField, TextField, TimeField, UuidField } from '../../../../platform/http/fields.js';
import { CursorQuery } from '../../../../platform/http/pagination.js';
import {
  REPORT_DECISIONS,
  REPORT_REASONS,
  REPORT_STATES,
  REPORT_SUBJECTS,
  type ReportDecision,
  type ReportReason,
  type ReportState,
  type ReportSubject,
} from '../../../users/reports/reports.types.js';

export class ReportParam {
  @UuidField()
  id: string;
}

export class ReportsQuery extends CursorQuery {
  @EnumField(REPORT_STATES, { optional: true, description: 'Default `open`' })
  status?: ReportState;
}

export class DecideReportDto {
  @EnumField(REPORT_DECISIONS)
  decision: ReportDecision;

  @IntField({
    optional: true,
    min: 1,
    max: 3650,
    description: 'With `ban`: days from now; without it: for good. A ban that stands is never shortened',
  })
  banDays?: number;

  @TextField({ max: 1000, example: 'Nothing against the rules', description: 'Why; for moderators' })
  note: string;
}

export class ReportDto {
  @UuidField()
  id: string;

  @EnumField(REPORT_SUBJECTS)
  subjectType: ReportSubject;

  @TextField({ max: 100, example: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e' })
  subjectId: string;

  @UuidField({ description: 'Whose subject it is' })
  userId: string;

  @TextField({ max: 20, example: 'ada' })
  userHandle: string;

  @UuidField()
  reporterId: string;

  @TextField({ max: 20, example: 'grace' })
  reporterHandle: string;

  @EnumField(REPORT_REASONS)
  reason: ReportReason;

  @TextField({ max: 1000, nullable: true, example: 'Sends the same link to everyone' })
  note: string | null;

  @EnumField(REPORT_STATES)
  status: ReportState;

  @TimeField()
  createdAt: string;

  @TimeField({ nullable: true })
  decidedAt: string | null;

  @UuidField({ nullable: true })
  decidedBy: string | null;

  @TextField({ max: 1000, nullable: true, example: 'Nothing against the rules' })
  decisionNote: string | null;

  @IntField({ min: 0, example: 3, description: 'Open reports on the same subject, this one among them' })
  openOnSubject: number;

  @IntField({ min: 1, example: 5, description: 'All reports there ever were on the same subject' })
  allOnSubject: number;
}
