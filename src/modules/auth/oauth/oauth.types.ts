export const PROVIDERS = ['google', 'apple'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** Whom a provider says somebody is, once its signature has been checked. */
export interface ProviderIdentity {
  readonly provider: ProviderName;
  /** The provider's own id of the person: the one thing that an account is known by. */
  readonly subject: string;
  readonly email: string | null;
  /** The provider itself says that the address is the person's. */
  readonly emailVerified: boolean;
  /** Apple's forwarding address: it works as any other, until its owner switches it off. */
  readonly privateRelay: boolean;
  readonly name: string | null;
}
