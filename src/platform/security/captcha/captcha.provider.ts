/** Whoever tells people from programs. */
export interface CaptchaProvider {
  /** What a client needs to know to show the right one. */
  readonly name: string;

  /** Whether the token is good; it is used up by the question. Throws when the provider gives no usable answer. */
  accepts(token: string, address: string): Promise<boolean>;
}
