import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { httpErrors } from '../http/http.errors.js';
import { GroupedCalls } from './grouped-calls.js';

/** A call that is answered when the test says so. */
function scripted(
  options: { underWay: number; largest: number },
  alone = async (request: string) => Promise.resolve(`${request} by itself`),
) {
  const calls: {
    requests: readonly string[];
    answer: (unless?: string) => void;
    fail: (error: Error) => void;
  }[] = [];
  const grouped = new GroupedCalls<string, string>({
    ...options,
    alone,
    subjectOf: (request) => request.split(':')[0] ?? '',
    call: async (requests) =>
      await new Promise((resolve, reject) => {
        calls.push({
          requests,
          answer: (unless) =>
            resolve(requests.map((request) => (request === unless ? null : `answer to ${request}`))),
          fail: reject,
        });
      }),
  });
  return { calls, grouped, asked: () => calls.map(({ requests }) => requests) };
}

describe('grouped calls', () => {
  it('start at once when nothing is under way', async () => {
    const { grouped, calls } = scripted({ underWay: 1, largest: 10 });
    const answer = grouped.ask('a:1');
    await turn();
    calls[0]?.answer();
    expect(await answer).toBe('answer to a:1');
  });

  it('carry all who came meanwhile in the next call, each its own answer', async () => {
    const { grouped, calls, asked } = scripted({ underWay: 1, largest: 10 });
    const first = grouped.ask('a:1');
    await turn();
    const rest = ['b:1', 'c:1', 'd:1'].map((request) => grouped.ask(request));
    await turn();
    expect(asked()).toEqual([['a:1']]);
    calls[0]?.answer();
    await first;
    expect(asked()).toEqual([['a:1'], ['b:1', 'c:1', 'd:1']]);
    calls[1]?.answer();
    expect(await Promise.all(rest)).toEqual(['answer to b:1', 'answer to c:1', 'answer to d:1']);
  });

  it('never carry two of one subject together, and keep the order of one subject', async () => {
    const { grouped, calls, asked } = scripted({ underWay: 1, largest: 2 });
    const all = ['a:1', 'a:2', 'b:1', 'a:3', 'c:1'].map((request) => grouped.ask(request));
    for (let call = 0; call < 3; call += 1) {
      await turn();
      calls[call]?.answer();
    }
    await Promise.all(all);
    expect(asked()).toEqual([['a:1', 'b:1'], ['a:2', 'c:1'], ['a:3']]);
  });

  it('carry any together when they have no subject', async () => {
    const calls: (readonly string[])[] = [];
    const grouped = new GroupedCalls<string, string>({
      underWay: 1,
      largest: 3,
      call: async (requests) => {
        calls.push(requests);
        return Promise.resolve(requests);
      },
      alone: async (request) => Promise.resolve(request),
    });
    await Promise.all(['a', 'a', 'b', 'a'].map((request) => grouped.ask(request)));
    expect(calls).toEqual([['a', 'a', 'b'], ['a']]);
  });

  it('have no more under way than they may', async () => {
    const { grouped, calls, asked } = scripted({ underWay: 2, largest: 1 });
    const all = ['a:1', 'b:1', 'c:1'].map((request) => grouped.ask(request));
    await turn();
    expect(asked()).toEqual([['a:1'], ['b:1']]);
    for (const index of [1, 0, 2]) {
      calls[index]?.answer();
      await turn();
    }
    expect(await Promise.all(all)).toHaveLength(3);
  });

  it('ask by itself what a group could not have at once', async () => {
    const { grouped, calls } = scripted({ underWay: 1, largest: 10 });
    const all = ['a:1', 'b:1'].map((request) => grouped.ask(request));
    await turn();
    calls[0]?.answer('b:1');
    expect(await Promise.all(all)).toEqual(['answer to a:1', 'b:1 by itself']);
  });

  it('ask each by itself when the call failed that carried them, and go on with the others', async () => {
    const { grouped, calls } = scripted({ underWay: 1, largest: 2 });
    const all = ['a:1', 'b:1', 'c:1'].map((request) => grouped.ask(request));
    await turn();
    calls[0]?.fail(new Error('lost'));
    await turn();
    calls[1]?.answer();
    expect(await Promise.all(all)).toEqual(['a:1 by itself', 'b:1 by itself', 'answer to c:1']);
  });

  it('tell all when the database is away, and ask nobody by itself', async () => {
    const alone: string[] = [];
    const { grouped, calls } = scripted({ underWay: 1, largest: 2 }, async (request) => {
      alone.push(request);
      return Promise.resolve(request);
    });
    const all = Promise.allSettled(['a:1', 'b:1'].map((request) => grouped.ask(request)));
    await turn();
    calls[0]?.fail(httpErrors.SERVICE_UNAVAILABLE({ part: 'database', retryAfter: 2 }));
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(alone).toEqual([]);
  });

  it('tell all when the statement is wrong, which would be so for each by itself', async () => {
    const { grouped, calls } = scripted({ underWay: 1, largest: 2 });
    const all = Promise.allSettled(['a:1', 'b:1'].map((request) => grouped.ask(request)));
    await turn();
    calls[0]?.fail(Object.assign(new Error('there is no such function'), { code: '42883' }));
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('start again what is asked by itself and fell victim to a deadlock, three times and no more', async () => {
    let asked = 0;
    const { grouped, calls } = scripted({ underWay: 1, largest: 1 }, async () => {
      asked += 1;
      return Promise.reject(Object.assign(new Error('deadlock detected'), { code: '40P01' }));
    });
    const answer = Promise.allSettled([grouped.ask('a:1')]);
    await turn();
    calls[0]?.answer('a:1');
    expect(await answer).toMatchObject([{ status: 'rejected', reason: { code: '40P01' } }]);
    expect(asked).toBe(4);
  });
});
