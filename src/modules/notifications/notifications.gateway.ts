import { WebSocketGateway } from '@nestjs/websockets';

/**
 * `/notifications`: what concerns the user alone, in the room `user:<id>`, and `session:ending` before the socket of an ended
 * session is closed, or of who has excluded themselves, `wallet:updated` when their money has changed. In the room
 * `session:<id>`: `session:reality-check` when one is due. A client sends nothing here.
 */
@WebSocketGateway({ namespace: '/notifications' })
export class NotificationsGateway {}
