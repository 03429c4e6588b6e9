import { DateTime } from 'luxon';
import type { HttpClient } from '../launch/http-client.js';
import type { Lifetime } from '../launch/lifetime.js';
import type { Screen } from '../launch/screen.js';
import type { DemoOptions } from './options.js';

const HOUR_MS = 3_600_000;
/** How often a slow clock is moved, in ms of real time. */
const TICK_MS = 1000;

/** The product's movable clock, moved over HTTP by the admin: in one go, or at `--speed` in small steps. */
export class WeekClock {
  private standsAt: number;
  private readonly options: Pick<DemoOptions, 'speed'>;
  private readonly screen: Screen;
  private readonly lifetime: Lifetime;
  private readonly zone: string;

  constructor(
    private readonly admin: HttpClient,
    given: {
      options: Pick<DemoOptions, 'speed'>;
      rules: { zone: string };
      screen: Screen;
      lifetime: Lifetime;
      startAt: Date;
    },
  ) {
    this.options = given.options;
    this.screen = given.screen;
    this.lifetime = given.lifetime;
    this.zone = given.rules.zone;
    this.standsAt = given.startAt.getTime();
  }

  /** Moves the clock on to an instant. */
  async moveTo(at: number): Promise<void> {
    const { speed } = this.options;
    if (speed > 0) {
      const step = (TICK_MS / (speed * 1000)) * HOUR_MS;
      for (let next = this.standsAt + step; next < at; next += step) {
        await this.lifetime.sleep(TICK_MS);
        await this.set(next);
        this.screen.update(this.text(next));
      }
    }
    this.lifetime.check();
    await this.set(at);
  }

  /** `Mon 02 Oct 20:15`, in the pools' zone; always of the same length. */
  text(at = this.standsAt): string {
    return DateTime.fromMillis(at, { zone: this.zone }).toFormat('ccc dd LLL HH:mm', { locale: 'en' });
  }

  /** `2 October 2023`, in the pools' zone. */
  day(at: number): string {
    return DateTime.fromMillis(at, { zone: this.zone }).toFormat('d LLLL yyyy', { locale: 'en' });
  }

  private async set(at: number): Promise<void> {
    await this.admin.ask('POST', 'admin/clock', { body: { now: new Date(at).toISOString() } });
    this.standsAt = at;
  }
}
