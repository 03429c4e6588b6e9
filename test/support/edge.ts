import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Miniflare } from 'miniflare';
import { transformSync } from '@swc/core';

const FOLDER = join(import.meta.dirname, '..', '..', 'edge', 'geo-worker');

/** What Cloudflare would know of a caller. */
export interface EdgeCaller {
  readonly country?: string;
  readonly regionCode?: string;
  readonly isEUCountry?: '1';
  readonly asn?: number;
}

/** The geo worker on Cloudflare's own runtime, as it is deployed but for its variables. */
export class Edge {
  private constructor(
    private readonly runtime: Miniflare,
    /** `http://127.0.0.1:<port>` */
    readonly url: string,
  ) {}

  /** `caller`: where all come from who do not say otherwise by `headersOf`. */
  static async start(variables: Record<string, string>, caller: EdgeCaller = {}): Promise<Edge> {
    const runtime = new Miniflare({
      modules: modules(),
      modulesRoot: FOLDER,
      compatibilityDate: setting('compatibility_date'),
      bindings: variables,
      cf: { ...caller },
      host: '127.0.0.1',
      port: 0,
    });
    const { origin } = await runtime.ready;
    return new Edge(runtime, origin);
  }

  async stop(): Promise<void> {
    await this.runtime.dispose();
  }
}

/** As Cloudflare tells its worker of one caller: a client's own headers of these names never get so far. */
export function headersOf(caller: EdgeCaller, address?: string): Record<string, string> {
  return {
    'MF-CF-Blob': JSON.stringify(caller),
    ...(address === undefined ? {} : { 'CF-Connecting-IP': address }),
  };
}

/** A variable of `wrangler.toml`. */
export function setting(name: string): string {
  const text = readFileSync(join(FOLDER, 'wrangler.toml'), 'utf8');
  const value = new RegExp(`^${name} = "(.*)"$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`wrangler.toml has no ${name}`);
  return value;
}

/** The sources, each compiled by itself; the entry first. */
function modules(): { type: 'ESModule'; path: string; contents: string }[] {
  const source = join(FOLDER, 'src');
  const names = readdirSync(source).toSorted((a, b) => Number(b === 'worker.ts') - Number(a === 'worker.ts'));
  return names.map((name) => {
    const filename = join(source, name);
    const { code } = transformSync(readFileSync(filename, 'utf8'), { filename, sourceMaps: false });
    return { type: 'ESModule', path: filename.replace(/\.ts$/, '.js'), contents: code };
  });
}
