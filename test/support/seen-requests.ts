import type { IncomingMessage } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Place } from '../../src/platform/geo/place.js';
import { PlacesService } from '../../src/platform/geo/places.service.js';

type Seen = IncomingMessage & { readonly ip?: string };

/** What came to an API, requests and handshakes alike, as its guards saw them. */
export class SeenRequests {
  private readonly all: Seen[] = [];

  constructor(private readonly app: NestExpressApplication) {
    const keep = (request: Seen): unknown => this.all.push(request);
    const server = app.getHttpServer();
    server.prependListener('request', keep).prependListener('upgrade', keep);
  }

  get count(): number {
    return this.all.length;
  }

  get last(): Seen {
    const last = this.all.at(-1);
    if (last === undefined) throw new Error('nothing came');
    return last;
  }

  /** Where the last came from. */
  get place(): Place {
    return this.app.get(PlacesService).placeOf(this.last);
  }
}
