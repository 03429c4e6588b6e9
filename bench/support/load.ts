import autocannon from 'autocannon';

export interface Load {
  url: string;
  connections: number;
  seconds: number;
  /** Requests a second over all connections; as fast as can be when absent. */
  rate?: number;
  request: () => { method: 'GET' | 'POST'; path: string; headers: Record<string, string>; body?: string };
}

export interface LoadFigures {
  perSecond: number;
  p50: number;
  p99: number;
  /** Answers by status or by error code. */
  answers: Map<string, number>;
}

/** Drives one server from this process over keep-alive connections, each with one request in flight. */
export async function drive(load: Load): Promise<LoadFigures> {
  const answers = new Map<string, number>();
  const count = (key: string) => answers.set(key, (answers.get(key) ?? 0) + 1);
  const instance = autocannon({
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    ...(load.rate === undefined ? {} : { overallRate: load.rate }),
    requests: [
      {
        setupRequest: (request) => ({ ...request, ...load.request() }),
        onResponse: (status, body) => count(status < 400 ? String(status) : codeOf(body)),
      },
    ],
  });
  const result = await instance;
  if (result.errors > 0) count(`connection errors: ${result.errors}`);
  return { perSecond: result.requests.average, p50: result.latency.p50, p99: result.latency.p99, answers };
}

function codeOf(body: string): string {
  return /"code":"([A-Z_]+)"/.exec(body)?.[1] ?? 'unknown';
}
