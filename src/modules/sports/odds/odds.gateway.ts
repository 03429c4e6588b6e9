import type { OnApplicationShutdown } from '@nestjs/common';
import type { OnGatewayConnection, OnGatewayInit } from '@nestjs/websockets';
import { SocketAsks } from '../../../platform/realtime/socket-asks.js';
import { SocketNamespace } from '../../../platform/realtime/socket-contract.js';
import {
  SocketsService,
  type UserNamespace,
  type UserSocket,
} from '../../../platform/realtime/sockets.service.js';
import { type ChangesMessage, GameChanges } from './game-changes.js';
import { OddsBook } from './odds-book.js';
import { OddsBroadcast } from './odds-broadcast.js';
import { OddsSubscriptionsService } from './odds-subscriptions.service.js';
import { ODDS, type OddsEvent, subscribe, unsubscribe } from './odds.sockets.js';

/**
 * `/odds`: games, their markets and prices as they change. A client subscribes to games, a sport or a league and is answered with
 * snapshots, or with what has changed since the number that it knows. Each message then says from which number it goes on (`from`)
 * and to which (`seq`): a client applies it only if it is there, and otherwise asks again.
 */
@SocketNamespace({
  name: ODDS,
  title: 'Games, markets and prices as they change',
  description:
    'Whoever subscribes is in the rooms `game:<id>`, `sport:<key>` and `league:<name>`. The changes of a game are numbered 1, 2, 3, … in `seq`: apply a message only if its `from` is the `seq` that you have, and then you have its `seq`. If you are elsewhere, after a reconnect for example, subscribe again with `after`: nothing is lost and nothing told twice. Of what changes faster than it can be told, the last state is told.',
})
export class OddsGateway implements OnGatewayInit, OnGatewayConnection, OnApplicationShutdown {
  constructor(
    private readonly asks: SocketAsks,
    private readonly subscriptions: OddsSubscriptionsService,
    private readonly broadcast: OddsBroadcast,
    book: OddsBook,
    changes: GameChanges,
    sockets: SocketsService,
  ) {
    sockets.listen(changes.channel, (message) => book.hear(JSON.parse(message) as ChangesMessage));
  }

  afterInit(namespace: UserNamespace<OddsEvent>): void {
    this.broadcast.start(namespace);
  }

  handleConnection(socket: UserSocket<OddsEvent>): void {
    this.asks.on(socket, subscribe, async (body) => await this.subscriptions.subscribe(socket, body));
    this.asks.on(socket, unsubscribe, async (body) => {
      await this.subscriptions.unsubscribe(socket, body);
      return null;
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.broadcast.stop();
  }
}
