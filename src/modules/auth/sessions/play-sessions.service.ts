import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import {
  type KeepsPlaySessions,
  type KnownOfSession,
  type PlaySession,
  PlaySessionsPort,
  type SessionRules,
} from '../../compliance/reality-checks/play-sessions.port.js';
import { SessionsService } from '../sessions.service.js';
import { PlaySessionsRepository } from './play-sessions.repository.js';

/**
 * Sessions, for compliance. What changes reaches Redis after the commit; should that fail, Redis holds the older figures until it forgets
 * them, so nobody is refused by what it says alone.
 */
@Injectable()
export class PlaySessionsService implements KeepsPlaySessions, OnModuleInit {
  constructor(
    private readonly port: PlaySessionsPort,
    private readonly repository: PlaySessionsRepository,
    private readonly sessions: SessionsService,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.port.register(this);
  }

  async find(sessionId: string): Promise<PlaySession | null> {
    return await this.repository.find(sessionId, this.clock.now());
  }

  async lock(manager: EntityManager, sessionId: string): Promise<PlaySession | null> {
    return await this.repository.lock(manager, sessionId, this.clock.now());
  }

  async follow(manager: EntityManager, sessionId: string, rules: SessionRules): Promise<PlaySession | null> {
    return await this.repository.follow(manager, sessionId, rules, this.clock.now());
  }

  async acknowledge(manager: EntityManager, sessionId: string, at: Date): Promise<void> {
    await this.repository.noteCheck(manager, sessionId, at);
  }

  async chosenMinutes(userId: string): Promise<number | null> {
    return await this.repository.findMinutes(userId);
  }

  async chooseMinutes(manager: EntityManager, userId: string, minutes: number): Promise<PlaySession[]> {
    await this.repository.chooseMinutes(manager, userId, minutes);
    return await this.repository.lockAll(manager, userId, this.clock.now());
  }

  async zonesOf(manager: EntityManager, userIds: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.repository.zonesOf(manager, userIds);
    return new Map(rows.map(({ user_id: userId, zone }) => [userId, zone]));
  }

  async refresh(sessionId: string): Promise<KnownOfSession | null> {
    return await this.sessions.reread(sessionId);
  }

  async refreshUser(userId: string): Promise<void> {
    await this.sessions.rereadAll(userId);
  }
}
