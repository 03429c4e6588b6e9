import { Injectable } from '@nestjs/common';
import { WalletService } from '../../wallet/wallet.service.js';
import { wholeMinutes } from '../domain/reality-check.js';
import type { MoneyPlayDto, SessionPlayDto } from './dto/reality-check.dto.js';
import type { PlaySession } from './play-sessions.port.js';
import { SessionPlayPort } from './session-play.port.js';

/** Of a session that goes on for longer the rest is left out: what is read stays little. */
const COUNTED_MS = 31 * 86_400_000;
/** Prizes are few: one a pool and week at most. */
const PRIZES = 100;

/** What was played in a session: by its user and since it began, wherever they did it (UKGC RTS 13, NJ 13:69O-1.2). */
@Injectable()
export class SessionPlayService {
  constructor(
    private readonly port: SessionPlayPort,
    private readonly wallet: WalletService,
  ) {}

  async of({ id, userId, beganAt, lastUsedAt }: PlaySession, now: Date): Promise<SessionPlayDto> {
    const since = new Date(Math.max(beganAt.getTime(), now.getTime() - COUNTED_MS));
    const [credits, money] = await Promise.all([
      this.port.creditsOf(userId, since),
      this.moneyOf(userId, since),
    ]);
    const [staked, won] = [Number(credits.staked), Number(credits.won)];
    return {
      id,
      beganAt: beganAt.toISOString(),
      minutes: wholeMinutes(beganAt, now),
      activeMinutes: Math.min(wholeMinutes(beganAt, now), wholeMinutes(beganAt, lastUsedAt)),
      countedFrom: since.toISOString(),
      credits: { bets: credits.bets, staked, won, net: won - staked },
      money,
    };
  }

  private async moneyOf(userId: string, since: Date): Promise<MoneyPlayDto[]> {
    const played = await this.port.moneyOf(userId, since);
    const prizes = await this.wallet.transactions(userId, {
      type: 'prize',
      from: since.toISOString(),
      limit: PRIZES,
    });
    const won = new Map<string, number>();
    for (const { currency, amount } of prizes.items) won.set(currency, (won.get(currency) ?? 0) + amount);
    const currencies = new Set([...played.map(({ currency }) => currency), ...won.keys()]);
    return [...currencies].toSorted().map((currency) => {
      const of = played.find((one) => one.currency === currency);
      const staked = Number(of?.staked ?? 0n);
      const prize = won.get(currency) ?? 0;
      return { currency, staked, won: prize, net: prize - staked, paidIn: Number(of?.paidIn ?? 0n) };
    });
  }
}
