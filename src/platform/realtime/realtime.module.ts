import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { GatewaysService } from './gateways.service.js';
import { SocketAccessPort } from './socket-access.port.js';
import { SocketAsks } from './socket-asks.js';
import { SocketsService } from './sockets.service.js';

/** Sockets, in the API process. The gateways stand in the modules. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [GatewaysService, SocketAccessPort, SocketAsks, SocketsService],
  exports: [SocketAccessPort, SocketAsks, SocketsService],
})
export class RealtimeModule {}
