import type { Place, Reason } from './place.js';
import { type Env, listOf } from './settings.js';

const RETRY_AFTER = 60;

/** As the API refuses: the same envelope, codes and headers. */
interface Refusal {
  readonly status: 451 | 503;
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const REASONS: Readonly<Record<Reason, string>> = {
  anonymous: 'The caller hides where they are.',
  restricted: 'The place is closed.',
  unknown: 'Nobody can tell where the caller is.',
};

export function placeRefused({ country, region }: Place, reason: Reason): Refusal {
  return {
    status: 451,
    code: 'GEO_BLOCKED',
    message: 'This is not offered where you are; details.product names what is not, null is all of it.',
    details: { reason: REASONS[reason], country, region, product: null },
  };
}

export const closed: Refusal = {
  status: 503,
  code: 'SERVICE_UNAVAILABLE',
  message: 'A part this needs is not reachable now. Try again after Retry-After.',
  details: { part: 'edge', retryAfter: RETRY_AFTER },
};

export function answerOf({ status, code, message, details }: Refusal, request: Request, env: Env): Response {
  const requestId = crypto.randomUUID();
  const headers = corsHeaders(request, env);
  headers.set('Cache-Control', 'no-store');
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('X-Request-Id', requestId);
  if (status === 503) headers.set('Retry-After', String(RETRY_AFTER));
  // A browser that may not ask cannot tell its page why: what asks first is let ask, and then refused.
  if (isPreflight(request) && headers.has('Access-Control-Allow-Origin')) {
    headers.set('Access-Control-Allow-Methods', 'GET,HEAD,PUT,PATCH,POST,DELETE');
    headers.set('Access-Control-Allow-Headers', request.headers.get('Access-Control-Request-Headers') ?? '');
    return new Response(null, { status: 204, headers });
  }
  headers.set('Content-Type', 'application/json; charset=utf-8');
  const body = JSON.stringify({ success: false, error: { code, message, details, requestId } });
  return new Response(body, { status, headers });
}

function isPreflight({ method, headers }: Request): boolean {
  return method === 'OPTIONS' && headers.has('Access-Control-Request-Method');
}

/** Pages of the product may read why they are refused. */
function corsHeaders(request: Request, env: Env): Headers {
  const headers = new Headers({ Vary: 'Origin' });
  const origin = request.headers.get('Origin');
  if (origin === null || !listOf(env.CORS_ORIGINS).includes(origin)) return headers;
  headers.set('Access-Control-Allow-Origin', origin);
  headers.set('Access-Control-Expose-Headers', 'X-Request-Id,Retry-After');
  return headers;
}
