/** What a mailed link is for. */
export type LinkPurpose = 'email_verification' | 'password_reset';
