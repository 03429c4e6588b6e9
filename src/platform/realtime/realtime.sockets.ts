import { EnumField } from '../http/fields.js';
import { defineSocketEvent } from './socket-contract.js';

const ENDING_REASONS = ['SESSION_ENDED', 'SELF_EXCLUDED', 'GEO_BLOCKED'] as const;
/** Why the server ends a socket. */
export type EndingReason = (typeof ENDING_REASONS)[number];

export class SessionEndingDto {
  @EnumField(ENDING_REASONS, {
    description:
      '`SESSION_ENDED`: sign in again. `SELF_EXCLUDED`: connecting is refused until they have come back. `GEO_BLOCKED`: not from where they are.',
  })
  reason: EndingReason;
}

export const sessionEnding = defineSocketEvent({
  namespace: null,
  name: 'session:ending',
  payload: SessionEndingDto,
  summary: 'The server is about to close this socket',
  description:
    'To every socket of the session, or of the user. The connection is closed behind it: do not connect again as you are.',
});
