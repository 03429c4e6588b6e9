/** Where a caller is, as the edge or the address says. Codes are ISO 3166: `US`, and `NY` of `US-NY`. */
export interface Place {
  /** Null: nobody knows. */
  readonly country: string | null;
  /** Null: nobody knows, or the source tells countries alone. */
  readonly region: string | null;
  /** They hide where they are: a VPN, Tor, a proxy, a hosting network. */
  readonly anonymous: boolean;
}

/** What is known when nothing is: no rule that lets somebody in may be met by it. */
export const NOWHERE: Place = { country: null, region: null, anonymous: false };
