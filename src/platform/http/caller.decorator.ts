import { isIP } from 'node:net';
import { createParamDecorator, type ExecutionContext, Injectable, type PipeTransform } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { DpopProofs } from '../security/dpop-proofs.js';
import type { PlacedRequest } from '../geo/current-place.decorator.js';
import { NOWHERE, type Place } from '../geo/place.js';
import type { SubjectRequest } from '../security/subject.js';

/** Header of a proof of possession; an operation that documents it may answer DPOP_PROOF_INVALID. */
export const DPOP_HEADER = 'DPoP';

const MAX_USER_AGENT = 300;
const FINGERPRINT = /^[\x21-\x7e]{1,128}$/;
const DEVICE_TOKEN = /^[A-Za-z0-9_-]{43}$/;
const CAPTCHA = /^[\x21-\x7e]{1,8000}$/;

/** Where a request comes from, as far as it says. */
export interface Caller {
  /** What the client calls itself, cut to what is kept of it. */
  readonly userAgent: string | null;
  /** The client's address, behind the proxies that are trusted; empty when a proxy names none. */
  readonly address: string;
  /** `X-Device-Fingerprint`: what the client's own library makes of the device; null when absent or malformed. */
  readonly fingerprint: string | null;
  /** `X-Device-Token`: what the device was given at sign-in, not verified; null when absent or malformed. */
  readonly deviceToken: string | null;
  /** `X-Captcha-Token`: what the provider gave for a solved CAPTCHA; null when absent or malformed. */
  readonly captcha: string | null;
  /** Thumbprint of the key that the caller has proved to have (DPoP); null when none was shown. */
  readonly jkt: string | null;
  /** Where they are, as the compliance guard found it. */
  readonly place: Place;
}

/** Takes the proof of a public route; on others the guard has done so. */
@Injectable()
class CallerPipe implements PipeTransform<SubjectRequest, Promise<Caller>> {
  constructor(private readonly proofs: DpopProofs) {}

  async transform(request: SubjectRequest): Promise<Caller> {
    if (request.jkt === undefined && request.headers['dpop'] !== undefined) {
      const proof = await this.proofs.read(request, null);
      await this.proofs.useOnce(proof);
      request.jkt = proof.jkt;
    }
    return callerOf(request);
  }
}

const CallersRequest = createParamDecorator((_: unknown, context: ExecutionContext): SubjectRequest =>
  context.switchToHttp().getRequest<SubjectRequest>(),
);

/** The Caller. Throws DPOP_PROOF_INVALID when a proof came that does not hold. */
export function CurrentCaller(): ParameterDecorator {
  return (target, key, index) => {
    CallersRequest(CallerPipe)(target, key, index);
    if (key === undefined) return;
    const method = Object.getOwnPropertyDescriptor(target, key) ?? {};
    for (const header of HEADERS) ApiHeader({ ...header, required: false })(target, key, method);
  };
}

const FINGERPRINT_HEADER = {
  name: 'X-Device-Fingerprint',
  description: 'What the client makes of its device: the same each time, 1 to 128 printable characters.',
};

const HEADERS = [
  {
    name: DPOP_HEADER,
    description: 'Proof of possession (RFC 9449) of the key that the session is to be bound to.',
  },
  FINGERPRINT_HEADER,
  {
    name: 'X-Device-Token',
    description: 'The `deviceToken` that this device was answered when somebody signed in on it.',
  },
];

const RequestsFingerprint = createParamDecorator((_: unknown, context: ExecutionContext): string | null =>
  fingerprintOf(context.switchToHttp().getRequest<SubjectRequest>()),
);

/** The Caller's fingerprint alone, for an operation that no proof may keep anybody from. */
export function CurrentFingerprint(): ParameterDecorator {
  return (target, key, index) => {
    RequestsFingerprint()(target, key, index);
    if (key === undefined) return;
    const method = Object.getOwnPropertyDescriptor(target, key) ?? {};
    ApiHeader({ ...FINGERPRINT_HEADER, required: false })(target, key, method);
  };
}

function fingerprintOf(request: SubjectRequest): string | null {
  const fingerprint = request.get('x-device-fingerprint') ?? '';
  return FINGERPRINT.test(fingerprint) ? fingerprint : null;
}

export function callerOf(request: SubjectRequest & PlacedRequest): Caller {
  const deviceToken = request.get('x-device-token') ?? '';
  const captcha = request.get('x-captcha-token') ?? '';
  return {
    userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
    address: addressOf(request),
    fingerprint: fingerprintOf(request),
    deviceToken: DEVICE_TOKEN.test(deviceToken) ? deviceToken : null,
    captcha: CAPTCHA.test(captcha) ? captcha : null,
    jkt: request.jkt ?? null,
    place: request.place ?? NOWHERE,
  };
}

/** As Postgres reads it: without a zone, an IPv4 address not dressed up as IPv6, and nothing that a proxy made up. */
function addressOf(request: SubjectRequest): string {
  const address = (request.ip ?? '').replace(/^::ffff:(?=\d+\.)/i, '').split('%', 1)[0] ?? '';
  return isIP(address) === 0 ? '' : address;
}
