interface Cookie {
  value: string;
  secure: boolean;
  sameSite: string;
}

/** A page that a browser has come to. */
export interface Page {
  /** Where it was sent at last; not fetched when it is none of the known origins. */
  url: URL;
  status: number;
  headers: Headers;
  text: string;
  /** What stands in the fragment. */
  fragment: URLSearchParams;
}

/**
 * As much of a browser as signing in needs: cookies with their SameSite and Secure, redirects, forms that submit themselves.
 * `origins` says where a public origin is really served.
 */
export class Browser {
  private readonly jar = new Map<string, Map<string, Cookie>>();
  private form = new URLSearchParams();

  constructor(private readonly origins: Readonly<Record<string, string>>) {}

  /** Follows redirects and forms from here until there are none, or until `stopAt` is the next address. */
  async open(address: string, stopAt?: (url: URL) => boolean): Promise<Page> {
    let next: { url: URL; form?: URLSearchParams; from?: string } = { url: new URL(address) };
    for (let hops = 0; hops < 20; hops += 1) {
      const { url, form, from } = next;
      if (stopAt?.(url) === true || !this.isKnown(url)) return pageOf(url, 0, new Headers(), '');
      const response = await this.request(url, form, from);
      const location = response.headers.get('location');
      const text = await response.text();
      const posted = formIn(text);
      if (location !== null && response.status >= 300 && response.status < 400)
        next = { url: new URL(location, url), from: url.origin };
      else if (posted) {
        next = { ...posted, from: url.origin };
        this.form = posted.form;
      } else return pageOf(url, response.status, response.headers, text);
    }
    throw new Error('sent around in circles');
  }

  /** Posts a form as a page of another site does. */
  async post(address: string, form: Record<string, string>): Promise<Page> {
    const url = new URL(address);
    const response = await this.request(url, new URLSearchParams(form), 'https://elsewhere.example');
    const target = response.headers.get('location');
    const at = target === null ? url : new URL(target, url);
    return pageOf(at, response.status, response.headers, await response.text());
  }

  /** What the last form that submitted itself, or was about to, had in it. */
  lastForm(): Record<string, string> {
    return Object.fromEntries(this.form);
  }

  cookiesOf(origin: string): string[] {
    return [...(this.jar.get(origin) ?? [])].map(([name, { value }]) => `${name}=${value}`);
  }

  private async request(
    url: URL,
    form: URLSearchParams | undefined,
    from: string | undefined,
  ): Promise<Response> {
    const isCrossPost = form !== undefined && from !== url.origin;
    const cookies = [...(this.jar.get(url.origin) ?? [])]
      .filter(([, { secure }]) => !secure || url.protocol === 'https:')
      .filter(([, { sameSite }]) => !isCrossPost || sameSite === 'none')
      .map(([name, { value }]) => `${name}=${value}`);
    const response = await fetch(`${this.origins[url.origin] ?? url.origin}${url.pathname}${url.search}`, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: cookies.length > 0 ? { Cookie: cookies.join('; ') } : {},
      ...(form ? { body: form } : {}),
    });
    for (const header of response.headers.getSetCookie()) this.keep(url, header);
    return response;
  }

  private keep(url: URL, header: string): void {
    const [pair = '', ...rest] = header.split(';').map((part) => part.trim());
    const attributes = new Map(
      rest.map((part) => [part.split('=')[0]!.toLowerCase(), part.split('=')[1]?.toLowerCase() ?? '']),
    );
    const name = pair.slice(0, pair.indexOf('='));
    const isHost = name.startsWith('__Host-');
    if (isHost && (!attributes.has('secure') || attributes.get('path') !== '/' || attributes.has('domain')))
      return;
    const cookies = this.jar.get(url.origin) ?? new Map<string, Cookie>();
    this.jar.set(url.origin, cookies);
    if (attributes.get('max-age') === '0' || attributes.get('expires')?.includes('1970') === true)
      cookies.delete(name);
    else
      cookies.set(name, {
        value: pair.slice(name.length + 1),
        secure: attributes.has('secure'),
        sameSite: attributes.get('samesite') ?? 'lax',
      });
  }

  private isKnown(url: URL): boolean {
    return url.origin in this.origins || url.hostname === '127.0.0.1';
  }
}

function pageOf(url: URL, status: number, headers: Headers, text: string): Page {
  return { url, status, headers, text, fragment: new URLSearchParams(url.hash.slice(1)) };
}

function formIn(html: string): { url: URL; form: URLSearchParams } | null {
  const action = /<form method="post" action="([^"]+)"/.exec(html)?.[1];
  if (action === undefined || !html.includes('.submit()')) return null;
  const fields = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
  const form = new URLSearchParams(
    fields.map(([, name = '', value = '']): [string, string] => [name, unescaped(value)]),
  );
  return { url: new URL(unescaped(action)), form };
}

function unescaped(html: string): string {
  return html
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
