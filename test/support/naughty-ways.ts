import { operatorsWays } from './naughty-operators.js';
import type { NaughtyPlace } from './naughty-place.js';
import { usersWays } from './naughty-users.js';
import type { Way } from './naughty-way.js';

/** Every field whose text is told again, by its name. */
export function waysOf(place: NaughtyPlace): ReadonlyMap<string, Way> {
  return new Map([...usersWays(place), ...operatorsWays(place)]);
}
