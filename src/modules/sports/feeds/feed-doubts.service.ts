import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { FeedQuarantineRepository } from './feed-quarantine.repository.js';
import type { FeedProblem } from './feed-problem.js';
import type { Doubt, QuarantineKind } from './feeds.types.js';

/** A feed repeats what is wrong at each answer: the same again is written down this often. */
const AGAIN_MS = 30_000;
const REMEMBERED = 10_000;
const KINDS = { game: 'schedule', market: 'odds', score: 'score' } as const satisfies Record<
  string,
  QuarantineKind
>;

/** Writes down what is not believed of what feeds say. */
@Injectable()
export class FeedDoubtsService {
  private readonly noted = new Map<string, { details: string; at: number }>();

  constructor(
    private readonly repository: FeedQuarantineRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Of one feed. Of several with one reason about one game the details are put together. */
  async note(source: string, doubts: readonly Doubt[]): Promise<void> {
    const now = this.clock.now().getTime();
    const fresh = together(cleaned(doubts)).filter((doubt) => {
      const key = [source, doubt.kind, doubt.externalId, doubt.reason].join('\n');
      const details = JSON.stringify(doubt.details);
      const before = this.noted.get(key);
      if (before?.details === details && Math.abs(now - before.at) < AGAIN_MS) return false;
      if (this.noted.size >= REMEMBERED) this.noted.clear();
      this.noted.set(key, { details, at: now });
      return true;
    });
    if (fresh.length === 0) return;
    await this.unitOfWork.run(async (manager) => this.repository.note(manager, source, fresh));
  }

  /** What a feed could not even read, and has left out by itself. */
  async noteProblems(source: string, problems: readonly FeedProblem[]): Promise<void> {
    await this.note(
      source,
      problems.map(({ kind, externalId, reason, subject, details }) => ({
        kind: KINDS[kind],
        externalId: externalId ?? '',
        gameId: null,
        reason,
        details: { subjects: [{ subject, ...details }] },
      })),
    );
  }

  /** What was decided is news when it comes again. */
  forget({
    source,
    kind,
    externalId,
    reason,
  }: Pick<Doubt, 'kind' | 'externalId' | 'reason'> & { source: string }): void {
    this.noted.delete([source, kind, externalId, reason].join('\n'));
  }
}

/** As Postgres can keep it: what a feed said is anybody's text, and may hold a NUL or half a character. */
function cleaned(doubts: readonly Doubt[]): Doubt[] {
  const text = JSON.stringify(doubts, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([name, one]) => [whole(name), one]))
      : typeof value === 'string'
        ? whole(value)
        : value,
  );
  return JSON.parse(text) as Doubt[];
}

function whole(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

/** One of each kind, game and reason, as the table holds them. */
function together(doubts: readonly Doubt[]): Doubt[] {
  const found = new Map<string, Doubt>();
  for (const doubt of doubts) {
    const key = [doubt.kind, doubt.externalId, doubt.reason].join('\n');
    const before = found.get(key);
    found.set(key, before ? { ...doubt, details: merged(before.details, doubt.details) } : doubt);
  }
  return [...found.values()];
}

const LISTED = 20;

function merged(one: Doubt['details'], other: Doubt['details']): Doubt['details'] {
  const names = ['markets', 'subjects'].filter(
    (name) => Array.isArray(one[name]) && Array.isArray(other[name]),
  );
  return {
    ...one,
    ...Object.fromEntries(
      names.map((name) => [
        name,
        [...(one[name] as unknown[]), ...(other[name] as unknown[])].slice(0, LISTED),
      ]),
    ),
  };
}
