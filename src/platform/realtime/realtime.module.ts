import { Global, Module } from '@nestjs/common';
import { SocketAccessPort } from './socket-access.port.js';
import { SocketAsks } from './socket-asks.js';
import { SocketsService } from './sockets.service.js';

/** Sockets, in the API process. The gateways stand in the modules. */
@Global()
@Module({
  providers: [SocketAccessPort, SocketAsks, SocketsService],
  exports: [SocketAccessPort, SocketAsks, SocketsService],
})
export class RealtimeModule {}
