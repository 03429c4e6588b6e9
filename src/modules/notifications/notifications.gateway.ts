import { SocketNamespace } from '../../platform/realtime/socket-contract.js';

/** What is told here is declared by the modules that tell it, in their `*.sockets.ts`. */
@SocketNamespace({
  name: '/notifications',
  title: 'What concerns the user alone',
  description:
    'A socket is in the rooms `user:<id>` and `session:<id>` of whose token it showed, from the handshake on. A client sends nothing here.',
})
export class NotificationsGateway {}
