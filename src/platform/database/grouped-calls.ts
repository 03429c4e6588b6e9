interface Waiting<Request, Answer> {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupedCallsOptions<Request, Answer> {
  /** Calls that may be under way at once; each takes a connection. */
  readonly underWay: number;
  /** Requests in one call, at most. */
  readonly largest: number;
  /** Two requests of one subject never travel in the same call. */
  readonly subjectOf: (request: Request) => string;
  /** Answers in the order of what it is asked. */
  readonly call: (requests: readonly Request[]) => Promise<readonly Answer[]>;
}

/**
 * What many clients ask of one SQL function at the same time, as one call: one round trip, one commit and one start of each
 * statement for all of them. Nobody waits for a group to fill: while a call may start it starts with whoever is there, and
 * those who come while all are under way make up the next group. So an idle server answers at once, and a busy one does the
 * less for each the busier it is.
 */
export class GroupedCalls<Request, Answer> {
  private waiting: Waiting<Request, Answer>[] = [];
  private underWay = 0;
  private woken = false;

  constructor(private readonly options: GroupedCallsOptions<Request, Answer>) {}

  /** Throws what the call threw that carried this request. */
  async ask(request: Request): Promise<Answer> {
    return await new Promise<Answer>((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      if (this.woken) return;
      this.woken = true;
      setImmediate(() => {
        this.woken = false;
        this.start();
      });
    });
  }

  private start(): void {
    while (this.waiting.length > 0 && this.underWay < this.options.underWay) {
      this.send(this.nextGroup()).catch(rethrow);
    }
  }

  /** The longest waiting ones, one a subject; the others keep their place. */
  private nextGroup(): Waiting<Request, Answer>[] {
    const { largest, subjectOf } = this.options;
    const subjects = new Set<string>();
    const group: Waiting<Request, Answer>[] = [];
    this.waiting = this.waiting.filter((each) => {
      const subject = subjectOf(each.request);
      if (group.length === largest || subjects.has(subject)) return true;
      subjects.add(subject);
      group.push(each);
      return false;
    });
    return group;
  }

  private async send(group: Waiting<Request, Answer>[]): Promise<void> {
    this.underWay += 1;
    try {
      const answers = await this.options.call(group.map(({ request }) => request));
      group.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      this.underWay -= 1;
      this.start();
    }
  }
}

/** `send` tells those who asked; what it could not even tell is a mistake of ours. */
function rethrow(error: unknown): never {
  throw error;
}
