interface Restriction {
  readonly kind: 'time_out' | 'self_exclusion';
  readonly startsAt: Date;
  /** Null: for ever. */
  readonly endsAt: Date | null;
}

/** What is known of what bars somebody. */
export interface Bars {
  /** The code of what a stake is refused with. */
  readonly refusal: string | null;
  readonly ofAgeAt: Date | null;
  readonly restrictions: readonly Restriction[];
  readonly pendingReturn: { readonly askedAt: Date; readonly effectiveAt: Date } | null;
}

export interface Explanation {
  readonly since: Date | null;
  /** When it ends by itself, or when the term of an exclusion is over. */
  readonly until: Date | null;
  /** From when coming back may be asked for. */
  readonly returnFrom: Date | null;
  /** When the return that was asked for takes effect. */
  readonly returnsAt: Date | null;
  readonly advice: string;
}

const NOTHING = { since: null, until: null, returnFrom: null, returnsAt: null };
const HELP = 'What is yours can be withdrawn at any time.';

/** Says of what bars somebody since when, until when, and what they can do. */
export function explain(bars: Bars, now: Date): Explanation {
  const of = (kind: Restriction['kind']) => bars.restrictions.filter((one) => one.kind === kind);
  switch (bars.refusal) {
    case null:
      return {
        ...NOTHING,
        advice: 'You may take part. A time-out or an exclusion can be taken at any time.',
      };
    case 'SELF_EXCLUDED':
      return ofExclusions(of('self_exclusion'), bars.pendingReturn, now);
    case 'TIMED_OUT':
      return {
        ...NOTHING,
        since: earliest(of('time_out')),
        until: latestEnd(of('time_out')),
        advice: `The time-out ends by itself. It cannot be ended before. ${HELP}`,
      };
    case 'UNDER_AGE':
      return {
        ...NOTHING,
        until: bars.ofAgeAt,
        advice: `You may take part once you are old enough. ${HELP}`,
      };
    case 'GEO_BLOCKED':
      return {
        ...NOTHING,
        advice: `Nothing that costs money is offered where you are, or nobody can tell where that is. ${HELP}`,
      };
    case 'AGE_NOT_VERIFIED':
      return { ...NOTHING, advice: 'Have your age verified: POST compliance/kyc tells what is needed.' };
    case 'REALITY_CHECK_DUE':
      return {
        ...NOTHING,
        advice:
          'You have played for a while: look at it and acknowledge it. A time-out can be taken instead.',
      };
    default:
      return { ...NOTHING, advice: 'Write to the operator.' };
  }
}

function ofExclusions(
  exclusions: readonly Restriction[],
  pending: Bars['pendingReturn'],
  now: Date,
): Explanation {
  const since = earliest(exclusions);
  const until = latestEnd(exclusions);
  const told = { ...NOTHING, since, until, returnFrom: until };
  if (until === null) return { ...told, advice: `The exclusion is for ever. ${HELP}` };
  if (until > now)
    return {
      ...told,
      advice: `The exclusion cannot be ended before its term is over, and does not end by itself: afterwards you may ask to come back. ${HELP}`,
    };
  // One that was asked for before a further exclusion counts for nothing.
  if (pending === null || pending.askedAt < until)
    return {
      ...told,
      advice: `The term is over and the exclusion goes on until you ask to come back, which takes effect a day later. ${HELP}`,
    };
  return {
    ...told,
    returnsAt: pending.effectiveAt,
    advice: `You have asked to come back. To stay away, exclude yourself again. ${HELP}`,
  };
}

function earliest(restrictions: readonly Restriction[]): Date | null {
  return (
    restrictions.map(({ startsAt }) => startsAt).toSorted((a, b) => a.getTime() - b.getTime())[0] ?? null
  );
}

/** Null when one of them is for ever. */
function latestEnd(restrictions: readonly Restriction[]): Date | null {
  const ends = restrictions.map(({ endsAt }) => endsAt);
  if (ends.includes(null)) return null;
  return ends.filter((end) => end !== null).toSorted((a, b) => b.getTime() - a.getTime())[0] ?? null;
}
