/** The type of an event: its topic and, for the compiler, the shape of its payload. */
export interface EventType<Payload extends object> {
  readonly topic: string;
  readonly payload?: Payload;
}

/** What a queue's job carries. `eventId` is the job's id too, so that an event handed over twice is one job. */
export interface EventJob<Payload extends object = Record<string, unknown>> {
  readonly eventId: string;
  readonly topic: string;
  readonly payload: Payload;
  readonly requestId: string | null;
}

/** Declares an event in a module's `*.events.ts`. Topics read `module.what-happened`. */
export function defineEvent<Payload extends object>(topic: string): EventType<Payload> {
  return { topic };
}
