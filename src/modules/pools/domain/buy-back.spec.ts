import { describe, expect, it } from '@jest/globals';
import { canBuyBack, type BuyBackState } from './buy-back.js';
import { buyBackUntil } from './calendar.js';

const until = buyBackUntil(202514, 'America/New_York');
const broke: BuyBackState = {
  balance: 0,
  openBets: 0,
  now: new Date('2025-04-02T12:00:00Z'),
  until,
  alreadyBought: false,
};

describe('a buy-back', () => {
  it.each<[string, Partial<BuyBackState>, ReturnType<typeof canBuyBack>]>([
    ['is given to who has nothing left', {}, null],
    ['reads a balance from the database alike', { balance: 0n }, null],
    ['is given in the last millisecond of Friday', { now: new Date('2025-04-05T03:59:59.999Z') }, null],
    ['is closed on Saturday', { now: new Date('2025-04-05T04:00:00.000Z') }, 'BUY_BACK_CLOSED'],
    ['is closed when the time is unknown', { now: new Date(Number.NaN) }, 'BUY_BACK_CLOSED'],
    ['is given once', { alreadyBought: true }, 'BUY_BACK_ALREADY_USED'],
    ['is refused while a credit is left', { balance: 1 }, 'BUY_BACK_BALANCE_NOT_ZERO'],
    ['is refused while a bigint credit is left', { balance: 1n }, 'BUY_BACK_BALANCE_NOT_ZERO'],
    ['is refused while a bet is open', { openBets: 1 }, 'BUY_BACK_BETS_OPEN'],
    [
      'tells the closing first',
      { balance: 5, alreadyBought: true, now: new Date('2025-04-06T00:00:00Z') },
      'BUY_BACK_CLOSED',
    ],
    [
      'tells the use before the balance',
      { balance: 5, openBets: 2, alreadyBought: true },
      'BUY_BACK_ALREADY_USED',
    ],
    ['tells the balance before the bets', { balance: 5, openBets: 2 }, 'BUY_BACK_BALANCE_NOT_ZERO'],
  ])('%s', (_, change, expected) => {
    expect(canBuyBack({ ...broke, ...change })).toBe(expected);
  });
});
