/** What somebody of the compliance team did about a flag. `limited`: limits or a break were agreed or set, by their own operations. */
export const FLAG_DECISIONS = ['contacted', 'limited', 'referred', 'dismissed'] as const;
export type FlagDecision = (typeof FLAG_DECISIONS)[number];

export const FLAG_STATES = ['open', 'decided'] as const;
export type FlagState = (typeof FLAG_STATES)[number];
