/** Variables and secrets of the worker, as `wrangler.toml` explains them. */
export interface Env {
  readonly GEO_EDGE_SECRET?: string;
  readonly RESTRICTED?: string;
  readonly UNKNOWN?: string;
  readonly ANONYMOUS?: string;
  readonly ANONYMOUS_NETWORKS?: string;
  readonly KILL_SWITCH?: string;
  readonly CORS_ORIGINS?: string;
  readonly ORIGIN?: string;
}

export interface Settings {
  readonly secret: string;
  /** Countries, regions (`US-WA`), `EU`. */
  readonly restricted: ReadonlySet<string>;
  /** Countries of which a region is restricted: of them the region must be known. */
  readonly divided: ReadonlySet<string>;
  readonly anonymousNetworks: ReadonlySet<number>;
  readonly passesUnknown: boolean;
  readonly passesAnonymous: boolean;
}

const SECRET = /^[\x21-\x2b\x2d-\x7e]{32,}$/;
const PLACE = /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/;
const NETWORK = /^(AS)?\d{1,10}$/i;

/** Null when they are not whole, or the switch is not off: then nobody is passed on. */
export function settingsOf(env: Env): Settings | null {
  const { GEO_EDGE_SECRET: secret, RESTRICTED, KILL_SWITCH = 'off' } = env;
  const restricted = listOf(RESTRICTED);
  const networks = listOf(env.ANONYMOUS_NETWORKS);
  // A place that was misspelt would be let in, and so would every place if the list were forgotten.
  const whole =
    secret !== undefined &&
    SECRET.test(secret) &&
    RESTRICTED !== undefined &&
    restricted.every((place) => PLACE.test(place)) &&
    networks.every((network) => NETWORK.test(network));
  if (!whole || !['', 'off'].includes(KILL_SWITCH)) return null;
  return {
    secret,
    restricted: new Set(restricted),
    divided: new Set(restricted.filter((place) => place.includes('-')).map((place) => place.slice(0, 2))),
    anonymousNetworks: new Set(networks.map((network) => Number(network.replace(/^AS/i, '')))),
    passesUnknown: env.UNKNOWN === 'pass',
    passesAnonymous: env.ANONYMOUS === 'pass',
  };
}

export function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
