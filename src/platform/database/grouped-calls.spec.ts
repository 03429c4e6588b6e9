import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { GroupedCalls } from './grouped-calls.js';

/** A call that is answered when the test says so. */
function scripted(options: { underWay: number; largest: number }) {
  const calls: { requests: readonly string[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const grouped = new GroupedCalls<string, string>({
    ...options,
    subjectOf: (request) => request.split(':')[0] ?? '',
    call: async (requests) =>
      await new Promise((resolve, reject) => {
        calls.push({
          requests,
          answer: () => resolve(requests.map((request) => `answer to ${request}`)),
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

  it('fail those whom the failed call carried, and go on with the others', async () => {
    const { grouped, calls } = scripted({ underWay: 1, largest: 2 });
    const all = ['a:1', 'b:1', 'c:1'].map((request) => grouped.ask(request));
    await turn();
    calls[0]?.fail(new Error('lost'));
    const settled = Promise.allSettled(all);
    await turn();
    calls[1]?.answer();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });
});
