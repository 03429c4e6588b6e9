import { Injectable } from '@nestjs/common';

/** Whether this process is being stopped: readiness fails and connections are closed after their answer. */
@Injectable()
export class Lifecycle {
  stopping = false;
}
