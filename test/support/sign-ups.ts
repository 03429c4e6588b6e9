import { PASSWORD } from './builders.js';
import { Client } from './client.js';
import type { System } from './system.js';

export interface SignedUp {
  email: string;
  handle: string;
  client: Client;
  refreshToken: string;
}

/** Accounts opened through the API with email and PASSWORD, as `Builders.players` are not: hashed, mailed, audited. */
export class SignUps {
  private count = 0;

  /** `name` begins the handles and addresses. */
  constructor(
    private readonly system: System,
    private readonly name: string,
  ) {}

  /** The body of a registration nobody has sent yet. */
  body(over: Record<string, unknown> = {}): Record<string, unknown> & { email: string; handle: string } {
    this.count += 1;
    return {
      email: `${this.name}${this.count}@example.com`,
      handle: `${this.name}_${this.count}`,
      password: PASSWORD,
      birthDate: '1990-12-10',
      termsVersion: '2026-11',
      ...over,
    };
  }

  async open(over: Record<string, unknown> = {}): Promise<SignedUp> {
    const { email, handle, ...rest } = this.body(over);
    const anyone = new Client(this.system.url);
    const { status, data, error } = await anyone.post('auth/register', { email, handle, ...rest });
    if (status !== 201) throw new Error(`registering answers ${status} ${JSON.stringify(error)}`);
    const client = new Client(this.system.url, data.accessToken, data.user.id);
    return { email, handle, client, refreshToken: data.refreshToken };
  }
}
