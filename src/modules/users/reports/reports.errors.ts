import { defineErrors } from '../../../platform/http/domain-error.js';

export const reportsErrors = defineErrors({
  CANNOT_REPORT_YOURSELF: { status: 422, message: 'You cannot report yourself.' },
  REPORT_LIMIT_REACHED: {
    status: 429,
    message: 'You have reported too much today. Wait for the seconds told in Retry-After.',
  },
  REPORT_NOT_FOUND: { status: 404, message: 'There is no such report.' },
  REPORT_ALREADY_DECIDED: { status: 409, message: 'This report has been decided already.' },
});
