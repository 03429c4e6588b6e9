import { describe, expect, it } from '@jest/globals';
import { Module, type Type } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { EnumField } from '../http/fields.js';
import { GatewaysService } from './gateways.service.js';
import { sessionEnding } from './realtime.sockets.js';
import { defineSocketEvent } from './socket-contract.js';

@WebSocketGateway({ namespace: '/undeclared' })
class UndeclaredGateway {}

@WebSocketGateway({ namespace: '/answering' })
class AnsweringGateway {
  @SubscribeMessage('ask')
  ask(): string {
    return 'past the limits';
  }
}

class Nothing {
  @EnumField(['nothing'])
  what: 'nothing';
}

describe('gateways', () => {
  async function boot(...gateways: Type[]): Promise<void> {
    @Module({ imports: [DiscoveryModule], providers: [GatewaysService, ...gateways] })
    class Sockets {}
    const context = await NestFactory.createApplicationContext(Sockets, {
      logger: false,
      abortOnError: false,
    });
    await context.close();
  }

  it('do not boot without a declaration of their namespace', async () => {
    await expect(boot(UndeclaredGateway)).rejects.toThrow(
      'UndeclaredGateway does not declare its namespace (@SocketNamespace)',
    );
  });

  it('do not boot with a handler of their own', async () => {
    await expect(boot(AnsweringGateway)).rejects.toThrow(
      'AnsweringGateway.ask does not go through SocketAsks',
    );
  });

  it('are none in a worker, which boots', async () => {
    await expect(boot()).resolves.toBeUndefined();
  });

  it('cannot declare a name twice that a socket would hear twice', () => {
    // Every socket hears it already.
    const again = { ...sessionEnding, payload: Nothing };
    expect(() => defineSocketEvent(again)).toThrow('declared twice');
    expect(() => defineSocketEvent({ ...again, namespace: '/somewhere' })).toThrow('declared twice');
  });
});
