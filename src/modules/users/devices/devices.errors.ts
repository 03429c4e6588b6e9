import { defineErrors } from '../../../platform/http/domain-error.js';

export const devicesErrors = defineErrors({
  DEVICE_NOT_FOUND: { status: 404, message: 'There is no such device of yours.' },
});
