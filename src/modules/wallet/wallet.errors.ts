import { defineErrors } from '../../platform/http/domain-error.js';

export const walletErrors = defineErrors({
  INSUFFICIENT_FUNDS: { status: 422, message: 'There is not that much money available.' },
  LEDGER_REFERENCE_REUSED: { status: 409, message: 'The reference was used for another transfer.' },
  HOLD_NOT_FOUND: { status: 404, message: 'There is no such hold.' },
  HOLD_NOT_OPEN: { status: 409, message: 'The hold was captured or released already, or has expired.' },
  HOLD_TOO_SMALL: { status: 422, message: 'Less than that is left of the hold.' },
  TRANSFER_NOT_FOUND: { status: 404, message: 'There is no such transfer.' },
  TRANSFER_NOT_REVERSIBLE: {
    status: 409,
    message: 'Holds and releases are ended by capture or release, not reversed.',
  },
  ALREADY_REVERSED: { status: 409, message: 'The transfer was reversed already.' },
});
