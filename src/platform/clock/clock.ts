import { Injectable } from '@nestjs/common';

/** The time that the rules go by. Nothing in `src/modules` reads the system's time directly. */
@Injectable()
export class Clock {
  now(): Date {
    return new Date();
  }
}
