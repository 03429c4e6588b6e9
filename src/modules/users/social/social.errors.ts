import { defineErrors } from '../../../platform/http/domain-error.js';

export const socialErrors = defineErrors({
  YOURSELF: { status: 422, message: 'You cannot do this to yourself.' },
});
