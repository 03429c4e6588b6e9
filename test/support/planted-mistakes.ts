import { jest } from '@jest/globals';

/** What a client sends, before it is sent: a test changes it into what a faulty client would send. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  body: Record<string, unknown>;
}

/** A header is another, or none. */
export const header = (name: string, value?: string) => (sent: Sent) => {
  if (value === undefined) Reflect.deleteProperty(sent.headers, name);
  else sent.headers[name] = value;
};

/** Plants a mistake in every request of ours to `path`. It is gone after `jest.restoreAllMocks()`. */
export function plantMistake(path: string, mistake: (sent: Sent) => void): void {
  const real = globalThis.fetch;
  jest.spyOn(globalThis, 'fetch').mockImplementation((input, init = {}) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    if (pathname !== path) return real(input, init);
    const sent: Sent = {
      method: init.method ?? 'GET',
      path: pathname,
      headers: { ...(init.headers as Record<string, string>) },
      body: typeof init.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : {},
    };
    mistake(sent);
    const body = init.body === undefined ? {} : { body: JSON.stringify(sent.body) };
    return real(input, { ...init, headers: sent.headers, ...body });
  });
}

/** A question of ours to somebody else's server, before it is asked. */
export interface Question {
  method: string;
  readonly url: URL;
  readonly headers: Record<string, string>;
}

/** Plants a mistake in the address or the headers of every question of ours. It is gone after `jest.restoreAllMocks()`. */
export function plantInQuestions(mistake: (question: Question) => void): void {
  const real = globalThis.fetch;
  jest.spyOn(globalThis, 'fetch').mockImplementation((input, init = {}) => {
    const question: Question = {
      method: init.method ?? 'GET',
      url: new URL(input instanceof Request ? input.url : input),
      headers: { ...(init.headers as Record<string, string>) },
    };
    mistake(question);
    return real(question.url, { ...init, method: question.method, headers: question.headers });
  });
}
