import { Logger } from '@nestjs/common';
import { DomainError } from '../http/domain-error.js';
import { errorCode, isMistake } from './database-errors.js';
import { restarted } from './restarted.js';

const UNDER_WAY = 2;
const LARGEST = 64;

interface Waiting<Request, Answer> {
  readonly request: Request;
  readonly resolve: (answer: Answer | null) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupedCallsOptions<Request, Answer> {
  /** Calls that may be under way at once, each on a connection: 2, so that one is busy while the other's answers are read. */
  readonly underWay?: number;
  /** Requests in one call, at most: 64. */
  readonly largest?: number;
  /** Two requests of one subject never travel in the same call; left out, any do. */
  readonly subjectOf?: (request: Request) => string;
  /**
   * Answers in the order of what it is asked, and waits for nobody: null for what it could not have at once. It is a transaction of
   * its own.
   */
  readonly call: (requests: readonly Request[]) => Promise<readonly (Answer | null)[]>;
  /** One request by itself, which may wait. It is a transaction of its own, and started again after a deadlock. */
  readonly alone: (request: Request) => Promise<Answer>;
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
  private readonly logger = new Logger(GroupedCalls.name);

  constructor(private readonly options: GroupedCallsOptions<Request, Answer>) {}

  /**
   * What a group could not do at once, or what failed it, may be another's fault: the request is asked again by itself, and
   * throws what that throws. A database that is away is told to all, and so is a mistake in the statement.
   */
  async ask(request: Request): Promise<Answer> {
    const answer = await this.inGroup(request);
    return answer ?? (await restarted(async () => await this.options.alone(request)));
  }

  private async inGroup(request: Request): Promise<Answer | null> {
    return await new Promise<Answer | null>((resolve, reject) => {
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
    while (this.waiting.length > 0 && this.underWay < (this.options.underWay ?? UNDER_WAY)) {
      this.send(this.nextGroup()).catch(rethrow);
    }
  }

  /** The longest waiting ones, one a subject; the others keep their place. */
  private nextGroup(): Waiting<Request, Answer>[] {
    const { largest = LARGEST, subjectOf } = this.options;
    const subjects = new Set<string>();
    const group: Waiting<Request, Answer>[] = [];
    this.waiting = this.waiting.filter((each) => {
      if (group.length === largest) return true;
      const subject = subjectOf?.(each.request);
      if (subject !== undefined && subjects.has(subject)) return true;
      if (subject !== undefined) subjects.add(subject);
      group.push(each);
      return false;
    });
    return group;
  }

  private async send(group: Waiting<Request, Answer>[]): Promise<void> {
    this.underWay += 1;
    try {
      const answers = await this.options.call(group.map(({ request }) => request));
      group.forEach(({ resolve }, index) => resolve(answers[index] ?? null));
    } catch (error) {
      const everybodys = error instanceof DomainError || isMistake(error);
      if (!everybodys)
        this.logger.warn(
          { requests: group.length, code: errorCode(error) },
          'a group failed, each of it is asked for by itself',
        );
      for (const { resolve, reject } of group) {
        if (everybodys) reject(error);
        else resolve(null);
      }
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
