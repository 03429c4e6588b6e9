import { defineErrors } from '../../../platform/http/domain-error.js';

export const contactsErrors = defineErrors({
  CONTACT_NOT_FOUND: { status: 404, message: 'There is no such contact, or it is not yours.' },
  CONTACT_DECLINED: {
    status: 409,
    message: 'They declined your request. You may ask again at the time told; they may ask you at any time.',
  },
  CONTACT_NOT_YOURS_TO_ANSWER: {
    status: 409,
    message: 'You asked for this contact. The other answers; you may take the request back with DELETE.',
  },
  CONTACT_STATE_CONFLICT: {
    status: 409,
    message: 'The contact is in a state in which this cannot be done. Read it again.',
  },
});
