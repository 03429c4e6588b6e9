/** What may be reported. Posts, picks and messages join with their modules. */
export const REPORT_SUBJECTS = ['user'] as const;
export type ReportSubject = (typeof REPORT_SUBJECTS)[number];

export const REPORT_REASONS = [
  'spam',
  'harassment',
  'hate',
  'threats',
  'impersonation',
  'fraud',
  'cheating',
  'underage',
  'self_harm',
  'other',
] as const;
export type ReportReason = (typeof REPORT_REASONS)[number];

export const REPORT_STATES = ['open', 'dismissed', 'warned', 'banned'] as const;
export type ReportState = (typeof REPORT_STATES)[number];

export const REPORT_DECISIONS = ['dismiss', 'warn', 'ban'] as const;
export type ReportDecision = (typeof REPORT_DECISIONS)[number];

/** A report as moderators see it. */
export interface Report {
  id: string;
  subjectType: ReportSubject;
  subjectId: string;
  /** Whose subject it is, and who is warned or banned for it. */
  userId: string;
  userHandle: string;
  reporterId: string;
  reporterHandle: string;
  reason: ReportReason;
  note: string | null;
  status: ReportState;
  createdAt: Date;
  decidedAt: Date | null;
  decidedBy: string | null;
  decisionNote: string | null;
  /** Reports on the same subject, this one among them: those still open, and all. */
  openOnSubject: number;
  allOnSubject: number;
}
