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
  /** An address of Apple's that forwards to the person's own. Once they switch it off, mail to it is refused for good. */
  readonly privateRelay: boolean;
  readonly name: string | null;
}
