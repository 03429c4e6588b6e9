import { randomUUID } from 'node:crypto';
import { FeedDoubtsService } from '../../src/modules/sports/feeds/feed-doubts.service.js';
import { FeedsRepository } from '../../src/modules/sports/feeds/feeds.repository.js';
import type { System } from './system.js';

/** A feed that is followed, and things that it said and that nobody has decided about; their ids. */
export async function doubtsAboutFeeds(system: System, count: number): Promise<string[]> {
  const feeds = system.app.get(FeedsRepository);
  await feeds.hold('doubted', randomUUID(), 60);
  await feeds.noteSuccess('doubted', 'odds', { remaining: 480, used: 20, lastCost: 3 });
  await feeds.noteFailure('doubted', 'scores', 'The provider answered 503');
  await system.app.get(FeedDoubtsService).note(
    'doubted',
    Array.from({ length: count }, (_, index) => ({
      kind: 'odds' as const,
      externalId: `game-${index}`,
      gameId: null,
      reason: 'OVERROUND_LOW' as const,
      details: { markets: [] },
    })),
  );
  const { rows } = await system.db.query<{ id: string }>(
    "SELECT id FROM feed_quarantine WHERE source = 'doubted' ORDER BY id",
  );
  return rows.map(({ id }) => id);
}
