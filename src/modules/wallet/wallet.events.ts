import { defineEvent } from '../../platform/outbox/event.js';

/** Money of these users was posted, held, captured or released. Read the balances: events may come late and out of order. */
export const walletChanged = defineEvent<{ userIds: string[] }>('wallet.changed');

/** An operator wants the ledger proved. */
export const verificationRequested = defineEvent<{ verificationId: string }>('wallet.verification-requested');
