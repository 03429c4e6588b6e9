import { PickType } from '@nestjs/swagger';
import { defineSocketEvent } from '../../../platform/realtime/socket-contract.js';
import { RealityCheckDto } from './dto/reality-check.dto.js';

export class RealityCheckToldDto extends PickType(RealityCheckDto, [
  'dueAt',
  'everyMinutes',
  'session',
] as const) {}

export const realityCheckTold = defineSocketEvent({
  namespace: '/notifications',
  name: 'session:reality-check',
  payload: RealityCheckToldDto,
  summary: 'A reality check is due',
  description:
    'To the sockets of the session that it is about, once. Stakes and deposits answer `REALITY_CHECK_DUE` until `POST compliance/reality-check/acknowledge`. Who was not connected asks `GET compliance/reality-check`.',
});
