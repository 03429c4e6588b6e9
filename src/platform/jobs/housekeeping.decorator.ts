import { DiscoveryService } from '@nestjs/core';

/** Deletes what nobody can need any more, at most `limit` rows; answers how many. Called until it finds fewer. */
export type Forget = (limit: number) => Promise<number>;

/** What a module has to forget. */
export interface Forgetful {
  /** One after the other: what refers to something comes before it. */
  readonly forgets: readonly Forget[];
}

/** Marks a provider that is Forgetful: the hourly housekeeping asks it. */
export const HasHousekeeping = DiscoveryService.createDecorator();
