import { defineErrors } from '../../platform/http/domain-error.js';

export const verifyErrors = defineErrors({
  LEDGER_VERIFY_RUNNING: {
    status: 409,
    message: 'The ledger is being verified already. Ask again when that has ended.',
  },
});
