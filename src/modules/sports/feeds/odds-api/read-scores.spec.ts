import { describe, expect, it } from '@jest/globals';
import { readScore } from './read-scores.js';
import { readEvent, type WireEvent } from './wire.js';

const score = (name: string, points: unknown) => ({ name, score: points });
function event(completed: unknown, scores: unknown): WireEvent {
  const read = readEvent({
    id: 'e1',
    commence_time: '2026-04-18T14:00:00Z',
    home_team: 'Leeds',
    away_team: 'Wolves',
    completed,
    scores,
  });
  if (!read) throw new Error('no event');
  return read;
}

describe('readScore', () => {
  it('is nothing before the start', () => {
    expect(readScore(event(false, null))).toBeNull();
    expect(readScore(event(false, undefined))).toBeNull();
    expect(readScore(event(false, []))).toBeNull();
    expect(readScore(event(false, [score('Leeds', null), score('Wolves', '')]))).toBeNull();
  });

  it('is a score while the game goes on, by the names of the sides', () => {
    expect(readScore(event(false, [score('Wolves', '2'), score('Leeds', '10')]))).toEqual({
      score: { externalId: 'e1', home: 10, away: 2 },
    });
  });

  it('is a result once it is over', () => {
    expect(readScore(event(true, [score('Leeds', '0'), score('Wolves', '0')]))).toEqual({
      result: { externalId: 'e1', status: 'final', home: 0, away: 0 },
    });
  });

  it.each([
    ['SCORE_INCOMPLETE', true, null],
    ['SCORE_INCOMPLETE', true, []],
    ['SCORE_INCOMPLETE', true, [score('Leeds', '1')]],
    ['SCORE_INCOMPLETE', false, [score('Leeds', '1'), score('Wolves', null)]],
    ['TEAM_UNKNOWN', true, [score('Leeds', '1'), score('Wolverhampton', '2')]],
    ['UNREADABLE', true, [score('Leeds', '1'), score('Leeds', '2'), score('Wolves', '1')]],
    ['UNREADABLE', true, [score('Leeds', 1), score('Wolves', '2')]],
    ['UNREADABLE', true, [score('Leeds', '-1'), score('Wolves', '2')]],
    ['UNREADABLE', true, [score('Leeds', '1.5'), score('Wolves', '2')]],
    ['UNREADABLE', true, [{ score: '1' }, score('Wolves', '2')]],
    ['UNREADABLE', true, ['1', '2']],
  ])('is a problem (%s) of completed %j with %j', (reason, completed, scores) => {
    expect(readScore(event(completed, scores))).toMatchObject({
      problem: { kind: 'score', externalId: 'e1', reason },
    });
  });
});
