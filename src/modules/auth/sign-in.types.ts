/** How a user proved who they are. */
export type Proof = 'password' | 'otp' | 'google' | 'apple';
