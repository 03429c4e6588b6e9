import type { OnApplicationShutdown } from '@nestjs/common';
import { type OnGatewayConnection, type OnGatewayInit, WebSocketGateway } from '@nestjs/websockets';
import type { Namespace } from 'socket.io';
import { SocketAsks } from '../../../platform/realtime/socket-asks.js';
import { SocketsService, type UserSocket } from '../../../platform/realtime/sockets.service.js';
import type { Declaration } from '../../../platform/security/operates.decorator.js';
import { SubscribeDto, UnsubscribeDto } from './dto/odds-sockets.dto.js';
import { type ChangesMessage, GameChanges } from './game-changes.js';
import { OddsBook } from './odds-book.js';
import { OddsBroadcast } from './odds-broadcast.js';
import { OddsSubscriptionsService } from './odds-subscriptions.service.js';

const READ: Declaration = { operation: 'read', product: null };

/**
 * `/odds`: games, their markets and prices as they change. A client subscribes to games, a sport or a league and is answered with
 * snapshots, or with what has changed since the number that it knows. Each message then says from which number it goes on (`from`)
 * and to which (`seq`): a client applies it only if it is there, and otherwise asks again.
 */
@WebSocketGateway({ namespace: '/odds' })
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

  afterInit(namespace: Namespace): void {
    this.broadcast.start(namespace);
  }

  handleConnection(socket: UserSocket): void {
    this.asks.on(socket, {
      event: 'subscribe',
      body: SubscribeDto,
      operates: READ,
      answer: async (body) => await this.subscriptions.subscribe(socket, body),
    });
    this.asks.on(socket, {
      event: 'unsubscribe',
      body: UnsubscribeDto,
      operates: READ,
      answer: async (body) => {
        await this.subscriptions.unsubscribe(socket, body);
        return null;
      },
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.broadcast.stop();
  }
}
