import { Injectable } from '@nestjs/common';
import type { RenderedList } from '../../platform/http/answers.js';
import { SharedReads } from '../../platform/http/shared-reads.js';
import type { GameDto } from './dto/games.dto.js';

/** The slate of the last second. A bet at a price that has moved since is answered with ODDS_CHANGED. */
@Injectable()
export class SlateCache extends SharedReads<RenderedList<GameDto>> {
  constructor() {
    super({ maxAgeMs: 1000, max: 500 });
  }
}
