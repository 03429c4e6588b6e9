import { Global, Module } from '@nestjs/common';
import { SocketAccessPort } from './socket-access.port.js';
import { SocketsService } from './sockets.service.js';

/** Sockets, in the API process. The gateways stand in the modules. */
@Global()
@Module({
  providers: [SocketAccessPort, SocketsService],
  exports: [SocketAccessPort, SocketsService],
})
export class RealtimeModule {}
