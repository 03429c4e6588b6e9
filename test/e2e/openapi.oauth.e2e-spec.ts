import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenApiDocument } from '../../scripts/openapi/document.js';
import { Client } from '../support/client.js';
import { DocumentedApi, WITH_PROVIDER } from '../support/documented-api.js';
import { API, OAuthSystem } from '../support/oauth-system.js';

describe('the OpenAPI document, of signing in by a provider', () => {
  let oauth: OAuthSystem;

  beforeAll(async () => {
    oauth = await OAuthSystem.start();
  });
  afterAll(async () => oauth.stop());

  it('tells the shape of what every operation answers, to the property', async () => {
    const { url } = oauth.system;
    const document = (await (await fetch(`${url}/docs/openapi.json`)).json()) as OpenApiDocument;
    const api = new DocumentedApi(document);
    const [google, apple] = [oauth.person(), oauth.person()];
    const proof = { ...(await oauth.native('google', google)), account: oauth.account() };
    const { accessToken } = await api.call('OAuth_signIn', oauth.anyone, { provider: 'google' }, proof);
    const user = new Client(url, accessToken);
    const atApple = { provider: 'apple' };
    await api.call('OAuth_link', user, atApple, await oauth.native('apple', apple));
    await api.call('OAuth_list', user);
    await api.call('OAuth_reauthenticate', user, atApple, await oauth.native('apple', apple));
    await api.call('OAuth_unlink', user, atApple);

    const browser = oauth.browser();
    const served = ({ pathname, search }: URL) => `${url}${pathname}${search}`;
    const begin = new URL(oauth.beginUrl('google'));
    api.sendsOn('OAuthBrowser_begin', await fetch(served(begin), { redirect: 'manual' }));
    oauth.google.person = google;
    const back = await browser.open(begin.href, ({ pathname }) => pathname.endsWith('/callback'));
    const headers = { Cookie: browser.cookiesOf(API).join('; ') };
    const finished = await fetch(served(back.url), { headers, redirect: 'manual' });
    api.sendsOn('OAuthBrowser_finish', finished);

    expect(finished.headers.get('location')).toContain('#ticket=');
    expect(api.wrong).toEqual([]);
    expect(WITH_PROVIDER.filter((id) => api.uncalled().includes(id))).toEqual([]);
  });
});
