import { PASSWORD } from './builders.js';
import { type Answer, Client } from './client.js';
import { Mailbox } from './mailbox.js';
import { type SignedUp, SignUps } from './sign-ups.js';
import { startSystem, type System } from './system.js';

export const NEW_PASSWORD = 'staple battery horse';
export const VERIFY = 'Verify your email';
export const RESET = 'Choose a new password';

/** A system that mails links, and what is done with them. */
export class MailedLinks {
  readonly anyone: Client;
  readonly accounts: SignUps;

  private constructor(
    readonly system: System,
    readonly mailbox: Mailbox,
  ) {
    this.anyone = new Client(system.url);
    this.accounts = new SignUps(system, 'new');
  }

  static async start(): Promise<MailedLinks> {
    const mailbox = await new Mailbox().open();
    return new MailedLinks(await startSystem({ at: '2023-10-03T12:00:00Z', env: mailbox.env }), mailbox);
  }

  async stop(): Promise<void> {
    await this.system.stop();
    await this.mailbox.close();
  }

  async verify(token: string, { client }: Pick<SignedUp, 'client'>): Promise<Answer> {
    return await client.post('auth/email/verify', { token });
  }

  async forgot(email: string): Promise<Answer> {
    return await this.anyone.post('auth/password/forgot', { email });
  }

  async reset(token: string, password = NEW_PASSWORD): Promise<Answer> {
    return await this.anyone.post('auth/password/reset', { token, password });
  }

  async login(email: string, password: string): Promise<Answer> {
    return await this.anyone.post('auth/login', { email, password });
  }

  async signedInAgain({ email }: SignedUp): Promise<{ client: Client }> {
    const { data } = await this.login(email, PASSWORD);
    return { client: new Client(this.system.url, data.accessToken) };
  }

  async isVerified({ client }: SignedUp): Promise<boolean> {
    const { rows } = await this.system.db.query('SELECT email_verified_at FROM users WHERE id = $1', [
      client.userId,
    ]);
    return rows[0].email_verified_at !== null;
  }

  async linksOf({ client }: SignedUp): Promise<number> {
    const { rows } = await this.system.db.query('SELECT 1 FROM mail_links WHERE user_id = $1', [
      client.userId,
    ]);
    return rows.length;
  }

  async later(ms: number): Promise<void> {
    await this.system.moveTo(new Date(this.system.now().getTime() + ms));
  }
}
