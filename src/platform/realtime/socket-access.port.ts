import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { Declaration } from '../security/operates.decorator.js';
import type { Subject } from '../security/subject.js';

/** What holding a socket is to the rules of play: talk with others. */
export const HOLDING: Declaration = { operation: 'social', product: null };

/** What a client shows when it connects. */
export interface Handshake {
  /** `auth` of the client's connection: the access token, and the proof where the session is bound to a key. */
  readonly auth: Readonly<Record<string, unknown>>;
  readonly request: IncomingMessage;
}

/** Who may hold a socket: filled at boot by the module that knows sessions. */
export interface SocketAccess {
  /** Throws a DomainError, which the client is told, when nobody is let in by this handshake. */
  admit(handshake: Handshake): Promise<Subject>;
  /** Throws a DomainError when the rules of play keep them from a socket. Asked once the socket can be found: what changes later is told to it. */
  requirePlay(subject: Subject, request: IncomingMessage): Promise<void>;
  /** Throws a DomainError when the rules of play keep them from what they ask for on an open socket. */
  require(subject: Subject, request: IncomingMessage, asked: Declaration): void;
  /** Whether an open socket may stay where it is. */
  mayStay(subject: Subject, request: IncomingMessage): boolean;
  /** Whether the session of an open socket still lives. A socket is no activity. */
  lives(sessionId: string): Promise<boolean>;
  /** What a socket is refused with whose session does not. */
  ended(): Error;
  /** Channel on which ids of ended sessions are told. */
  readonly endedChannel: string;
}

@Injectable()
export class SocketAccessPort {
  private access: SocketAccess | undefined;

  register(access: SocketAccess): void {
    this.access = access;
  }

  /** Throws when nothing was registered: then no socket is let in. */
  get(): SocketAccess {
    if (this.access === undefined) throw new Error('nobody has said who may hold a socket');
    return this.access;
  }
}
