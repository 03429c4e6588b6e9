import { LRUCache } from 'lru-cache';
import type { ApiAnswer, ApiRequest, JsonApi } from './json-api.js';

/** Seconds before its end at which a token is replaced, so that none ends on its way. */
const MARGIN_SECONDS = 30;

/** A gateway under a bearer token, which is kept until it ends and asked for once however many need it. */
export class AuthorizedApi {
  private readonly tokens = new LRUCache<'current', string>({
    max: 1,
    fetchMethod: async (_key, _stale, { options }) => {
      const { token, seconds } = await this.issue();
      options.ttl = Math.max(1, Math.floor(Math.max(seconds - MARGIN_SECONDS, seconds / 2) * 1000));
      return token;
    },
  });

  /** `tokenRequest` is answered by `access_token` and `expires_in`, as OAuth 2.0 has it. */
  constructor(
    private readonly api: JsonApi,
    private readonly tokenRequest: ApiRequest,
  ) {}

  /** Throws PROVIDER_UNAVAILABLE when no answer comes, or no token is to be had. */
  async call(request: ApiRequest): Promise<ApiAnswer> {
    const token = await this.tokens.forceFetch('current');
    const answer = await this.callWith(token, request);
    if (answer.status !== 401) return answer;
    // Not authorised is not done, so that asking once more is safe. Another call may have replaced the token already.
    if (this.tokens.peek('current') === token) this.tokens.delete('current');
    const second = await this.callWith(await this.tokens.forceFetch('current'), request);
    if (second.status === 401) throw this.api.unavailable('401 under a new token');
    return second;
  }

  private async callWith(token: string, request: ApiRequest): Promise<ApiAnswer> {
    const headers = { ...request.headers, Authorization: `Bearer ${token}` };
    return await this.api.call({ ...request, headers });
  }

  private async issue(): Promise<{ token: string; seconds: number }> {
    const { status, body } = await this.api.call(this.tokenRequest);
    const token = body['access_token'];
    const seconds = Number(body['expires_in']);
    if (status !== 200 || typeof token !== 'string' || token === '' || !(seconds > 0))
      throw this.api.unavailable(`${status} and no token`);
    return { token, seconds };
  }
}
