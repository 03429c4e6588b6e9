import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Subject } from '../../../platform/security/subject.js';

/** A live session, as far as play is concerned. */
export interface PlaySession {
  readonly id: string;
  readonly userId: string;
  readonly beganAt: Date;
  /** Last activity, at most a minute late. */
  readonly lastUsedAt: Date;
  /** When its last reality check was acknowledged, or it began. */
  readonly checkedAt: Date;
  /** Minutes between its checks, the least that a place or the user asks for; null: it was used nowhere yet. */
  readonly checkMinutes: number | null;
}

/** What places ask of a session; the strictest of those where it was used counts. */
export interface SessionRules {
  readonly checkMinutes: number;
  /** It ends once it is idle. */
  readonly endsIdle: boolean;
  /** IANA: where it is. The first one counts. */
  readonly zone: string;
}

/** What requests of a session know of it. */
export type KnownOfSession = Omit<Subject, 'sessionId'>;

export interface KeepsPlaySessions {
  /** Null when it has ended. */
  find(sessionId: string): Promise<PlaySession | null>;
  /** The same, its row locked until the commit. */
  lock(manager: EntityManager, sessionId: string): Promise<PlaySession | null>;
  /** Adds what a place asks. Null when it has ended. */
  follow(manager: EntityManager, sessionId: string, rules: SessionRules): Promise<PlaySession | null>;
  /** Notes that a check was acknowledged. */
  acknowledge(manager: EntityManager, sessionId: string, at: Date): Promise<void>;
  /** Minutes that the user chose; null: as the places say. */
  chosenMinutes(userId: string): Promise<number | null>;
  /** Chooses them for all sessions of the user, which it answers, in the order of their ids. */
  chooseMinutes(manager: EntityManager, userId: string, minutes: number): Promise<PlaySession[]>;
  /** The zone of each user's latest session that was used somewhere. */
  zonesOf(manager: EntityManager, userIds: readonly string[]): Promise<Map<string, string>>;
  /**
   * Reads a session anew and tells every process; after the commit of whatever changed it, and before anybody is refused by what
   * Redis says alone. Null when it has ended.
   */
  refresh(sessionId: string): Promise<KnownOfSession | null>;
  /** The same for all sessions of a user whose age, or its proof, has changed. */
  refreshUser(userId: string): Promise<void>;
}

/** Sessions are the business of a module above, which registers here at boot. */
@Injectable()
export class PlaySessionsPort {
  private keeper: KeepsPlaySessions | undefined;

  register(keeper: KeepsPlaySessions): void {
    this.keeper = keeper;
  }

  get(): KeepsPlaySessions {
    if (!this.keeper) throw new Error('nobody keeps sessions');
    return this.keeper;
  }
}
