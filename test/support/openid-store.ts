import type { Adapter, AdapterPayload } from 'oidc-provider';

/** What an OpenID provider remembers, for as long as the test lasts: one kind of thing each. */
export class OpenIdStore implements Adapter {
  private readonly kept = new Map<string, AdapterPayload>();

  constructor(readonly kind: string) {}

  upsert(id: string, payload: AdapterPayload): Promise<undefined> {
    this.kept.set(id, payload);
    return Promise.resolve(undefined);
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.kept.get(id));
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve([...this.kept.values()].find((payload) => payload.uid === uid));
  }

  findByUserCode(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  consume(id: string): Promise<undefined> {
    const payload = this.kept.get(id);
    if (payload) payload.consumed = true;
    return Promise.resolve(undefined);
  }

  destroy(id: string): Promise<undefined> {
    this.kept.delete(id);
    return Promise.resolve(undefined);
  }

  revokeByGrantId(grantId: string): Promise<undefined> {
    for (const [id, payload] of this.kept) if (payload.grantId === grantId) this.kept.delete(id);
    return Promise.resolve(undefined);
  }
}
