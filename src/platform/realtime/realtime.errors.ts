import { defineErrors } from '../http/domain-error.js';

/** Codes with which a socket is refused: `data.code` of `connect_error`. */
export const realtimeErrors = defineErrors({
  TOO_MANY_SOCKETS: {
    status: 429,
    message: 'This session has as many sockets open as it may. Close one first.',
  },
});
