import { PLACE_HEADER, placeHeader } from './place-header.js';
import { type Location, placeOf, refusalOf } from './place.js';
import { answerOf, closed, placeRefused } from './refusals.js';
import { type Env, settingsOf } from './settings.js';

/** Machines call these from where they stand: providers' webhooks, who verifies our tokens, what watches over the API. */
const FROM_EVERYWHERE = [
  /^\/api\/v1\/(payments|compliance\/kyc)\/webhooks\/[a-z0-9-]+$/,
  /^\/\.well-known\/jwks\.json$/,
  /^\/health\/(live|ready)$/,
];

/**
 * Before the origin: refuses restricted places and passes all others on with their place, signed. What a client says of its
 * place itself is taken off, whatever becomes of the request. Whatever is missing or misspelt refuses.
 */
async function answer(request: Request, env: Env): Promise<Response> {
  const settings = settingsOf(env);
  if (settings === null) return answerOf(closed, request, env);
  const address = request.headers.get('CF-Connecting-IP');
  const headers = new Headers(request.headers);
  headers.delete(PLACE_HEADER);
  headers.delete('X-Forwarded-For');
  if (address !== null) headers.set('X-Forwarded-For', address);
  const { pathname } = new URL(request.url);
  if (FROM_EVERYWHERE.some((paths) => paths.test(pathname))) return await passOn(request, headers, env);

  const location = (request.cf ?? {}) as Location;
  const place = placeOf(location, settings);
  const reason = refusalOf(place, location, settings);
  if (address === null || reason !== null)
    return answerOf(placeRefused(place, reason ?? 'unknown'), request, env);
  // The edge's own time: it runs apart from the API, whose Clock it does not have; the API holds the difference to its tolerance.
  const now = new Date();
  headers.set(PLACE_HEADER, await placeHeader(place, address, now, settings.secret));
  return await passOn(request, headers, env);
}

/** WebSockets too: the answer to an upgrade is passed back as it is. Redirects are the client's to follow. */
async function passOn(request: Request, headers: Headers, env: Env): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const url = env.ORIGIN ? `${env.ORIGIN}${pathname}${search}` : request.url;
  return await fetch(new Request(url, new Request(request, { headers, redirect: 'manual' })));
}

export default { fetch: answer } satisfies ExportedHandler<Env>;
