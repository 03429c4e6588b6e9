interface Waiting<Request, Answer> {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What many requests ask of Redis within one turn of the event loop, as one command: under load a command of its own for
 * each costs the process more than all else that a request's guards do. Nothing waits longer than for that turn to end.
 *
 * The keys of one command belong to many users, which a Redis Cluster refuses (CROSSSLOT). `RedisConnections` knows single
 * servers only; before it may know a cluster, a batch has to be split by slot.
 */
export class Batch<Request, Answer> {
  private waiting: Waiting<Request, Answer>[] = [];
  private readonly flush = (): void => void this.send();

  /** `ask` answers in the order of what it is asked; when it throws, so does every `add` of that turn. */
  constructor(private readonly ask: (requests: readonly Request[]) => Promise<readonly Answer[]>) {}

  add(request: Request): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (this.waiting.push({ request, resolve, reject }) === 1) setImmediate(this.flush);
    });
  }

  private async send(): Promise<void> {
    const batch = this.waiting;
    this.waiting = [];
    try {
      const answers = await this.ask(batch.map(({ request }) => request));
      batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
