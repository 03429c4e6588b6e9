import { defineSocketAsk, defineSocketEvent } from '../../../platform/realtime/socket-contract.js';
import type { Declaration } from '../../../platform/security/operates.decorator.js';
import { GameDto } from '../dto/games.dto.js';
import { sportsErrors } from '../sports.errors.js';
import { SubscribeDto, UnsubscribeDto } from './dto/odds-sockets.dto.js';
import { GameStatusDto, MarketStatusDto, OddsChangedDto, SubscribedDto } from './dto/odds-told.dto.js';

export const ODDS = '/odds';
const READ: Declaration = { operation: 'read', product: null };
const GOES_ON =
  'Apply it only if its `from` is the `seq` that you have of the game; otherwise subscribe again with `after`.';

export const subscribe = defineSocketAsk({
  namespace: ODDS,
  name: 'subscribe',
  body: SubscribeDto,
  answer: SubscribedDto,
  operates: READ,
  summary: 'Follow games, a sport or a league',
  description:
    'Enters the rooms `game:<id>`, `sport:<key>` and `league:<name>`; together: all of what they name. A sport or a league brings the games of the last day and the next 8. Answered with snapshots, or, of games named in `after`, with what has changed since. Apply the acknowledgement in its callback: what comes behind it may be there before a promise is resolved.',
  errors: [sportsErrors.GAME_NOT_FOUND, sportsErrors.TOO_MANY_GAMES],
});

export const unsubscribe = defineSocketAsk({
  namespace: ODDS,
  name: 'unsubscribe',
  body: UnsubscribeDto,
  answer: null,
  operates: READ,
  summary: 'Follow them no longer',
  description: 'Leaves the rooms that it names; without a body all of them.',
});

const oddsSnapshot = defineSocketEvent({
  namespace: ODDS,
  name: 'odds:snapshot',
  payload: GameDto,
  summary: 'A game that you have not been told of, whole',
  description:
    'To the rooms `sport:<key>` and `league:<name>`: a game that is new, or comes into the days that are followed. Also to a socket that was too slow to be told it before.',
});

const oddsChanged = defineSocketEvent({
  namespace: ODDS,
  name: 'odds:changed',
  payload: OddsChangedDto,
  summary: 'Prices have moved',
  description: `To the rooms of the game, its sport and its league. A price may be of an outcome that has none with you at the moment, for it is offered again: add it. ${GOES_ON}`,
});

const marketStatus = defineSocketEvent({
  namespace: ODDS,
  name: 'market:status',
  payload: MarketStatusDto,
  summary: 'Markets are new, suspended, open again, closed, settled, voided or limited, or lost a price',
  description: `To the rooms of the game, its sport and its league. Each market replaces the one that you have: an outcome without a price in it is not offered at the moment. ${GOES_ON}`,
});

const gameStatus = defineSocketEvent({
  namespace: ODDS,
  name: 'game:status',
  payload: GameStatusDto,
  summary: 'The start, the state or the score of a game has changed',
  description: `To the rooms of the game, its sport and its league. ${GOES_ON}`,
});

/** What is told here, for the compiler. */
export type OddsEvent = typeof oddsSnapshot | typeof oddsChanged | typeof marketStatus | typeof gameStatus;
