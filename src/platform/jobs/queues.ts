import type { DefaultJobOptions } from 'bullmq';

/** The queues and how urgent they are. Every job is an event (see outbox) and every processor is idempotent. */
export const QUEUES = {
  /** Weeks: open, group, close. */
  weekCycle: 'week-cycle',
  /** Games: betting closes at the start, what is not over in time is given up. */
  gameCycle: 'game-cycle',
  /** Results to grade, weeks to settle. */
  outcomeSettlement: 'outcome-settlement',
  /** Users' own data, written into a zip. */
  dataExport: 'data-export',
  /** Closed accounts whose day has come. */
  accountErasure: 'account-erasure',
  /** One-time codes to telephones. */
  otpSend: 'otp-send',
  /** Bans whose end has come. */
  banEnd: 'ban-end',
  /** Sockets of people who have excluded themselves. */
  selfExclusion: 'self-exclusion',
  /** Who people are: what providers have told of it, files of documents to be removed. */
  kyc: 'kyc',
  /** Looking each night at whose play shows signs of harm. */
  harmMarkers: 'harm-markers',
  /** How long sessions have lasted, told in time. */
  realityChecks: 'reality-checks',
  /** Passes of people who will not play, to be given back. */
  passRefunds: 'pass-refunds',
  /** Links that verify an email. */
  emailVerification: 'email-verification',
  /** Links that set a new password. */
  passwordReset: 'password-reset',
  /** Mails about what has happened to an account. */
  securityNotices: 'security-notices',
  /** What payment providers have told, refunds to ask them for. */
  payments: 'payments',
  /** What the sandbox, as a provider, does by itself. */
  sandbox: 'sandbox',
  /** Money that goes out: what was approved, and what a provider has not answered yet. */
  withdrawals: 'withdrawals',
  /** Mails about withdrawals. */
  withdrawalNotices: 'withdrawal-notices',
  /** Telling people that their money has changed. */
  walletUpdates: 'wallet-updates',
  /** The nightly proof of the ledger. */
  ledgerVerify: 'ledger-verify',
  /** The nightly proof of the audit log. */
  auditVerify: 'audit-verify',
  /** Forgetting what has been kept long enough. */
  housekeeping: 'housekeeping',
} as const;

export const ALL_QUEUES: readonly string[] = Object.values(QUEUES);

/** Retries with growing pauses; what still fails stays in the failed set, the dead-letter view. */
export const JOB_OPTIONS = {
  attempts: 12,
  backoff: { type: 'exponential', delay: 200, jitter: 0.5 },
  removeOnComplete: { age: 24 * 3600, count: 10_000 },
  removeOnFail: false,
} as const;

/** Mail servers ask who writes to them for the first time to come back in minutes: these try for hours. */
const PATIENT = { attempts: 14, backoff: { type: 'exponential', delay: 1000, jitter: 0.5 } } as const;
const PATIENT_QUEUES: readonly string[] = [
  QUEUES.emailVerification,
  QUEUES.passwordReset,
  QUEUES.securityNotices,
  QUEUES.withdrawalNotices,
];

export function jobOptionsOf(queue: string): DefaultJobOptions {
  return PATIENT_QUEUES.includes(queue) ? { ...JOB_OPTIONS, ...PATIENT } : JOB_OPTIONS;
}

/** A worker that was killed gives its job back within seconds, as often as it takes. */
export const WORKER_OPTIONS = {
  lockDuration: 10_000,
  stalledInterval: 3_000,
  maxStalledCount: 1_000,
} as const;
