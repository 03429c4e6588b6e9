import type { Observer } from '../launch/http-client.js';

export interface PhaseFigures {
  ms: number;
  requests: number;
}

/** Counts and times every request, by the phase of the demo that it belongs to. */
export class Meter {
  readonly phases = new Map<string, PhaseFigures>();
  /** Milliseconds of each POST /bets, refused ones included. */
  readonly betLatencies: number[] = [];
  private current: PhaseFigures = { ms: 0, requests: 0 };

  readonly observe: Observer = ({ method, path, ms }) => {
    this.current.requests += 1;
    if (method === 'POST' && path === 'bets') this.betLatencies.push(ms);
  };

  /** Does the work as part of a phase; a phase may have several parts. */
  async time<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const figures = this.phases.get(phase) ?? { ms: 0, requests: 0 };
    this.phases.set(phase, figures);
    this.current = figures;
    const since = performance.now();
    try {
      return await work();
    } finally {
      figures.ms += performance.now() - since;
    }
  }

  /** The latency below which this share of the bets was answered, in ms. */
  betPercentile(share: number): number {
    const sorted = this.betLatencies.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  }
}

/** Does the work for every item, `limit` of them at a time, in their order. The first error ends it. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  const runner = async (): Promise<void> => {
    for (const [index, item] of queue) await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, runner));
}
