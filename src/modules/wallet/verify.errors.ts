import { defineErrors } from '../../platform/http/domain-error.js';

export const verifyErrors = defineErrors({
  LEDGER_VERIFY_RUNNING: {
    status: 409,
    message: 'The ledger is being verified already. Ask again when that has ended.',
  },
  LEDGER_VERIFICATION_NOT_FOUND: { status: 404, message: 'There is no such verification of the ledger.' },
});
