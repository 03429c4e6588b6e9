import { defineErrors } from '../../../platform/http/domain-error.js';

export const feedErrors = defineErrors({
  FEED_DOUBT_NOT_FOUND: { status: 404, message: 'There is nothing of that id in quarantine.' },
  FEED_DOUBT_ALREADY_DECIDED: { status: 409, message: 'This has been decided already.' },
  FEED_DOUBT_NOT_ACCEPTABLE: {
    status: 422,
    message:
      'This cannot be taken over. The details say why; dismiss it, and act on the game or market yourself.',
  },
});
