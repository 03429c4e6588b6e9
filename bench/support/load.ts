import { Agent, request as httpRequest } from 'node:http';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';

export interface Load {
  url: string;
  connections: number;
  seconds: number;
  request: () => Asked;
}

interface Asked {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body?: string;
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

/**
 * Starts requests at an even pace, whether or not those before have been answered, and times each from the moment at which
 * it was due (so that a server that stalls is charged for all who waited). autocannon's own rate is none of that: it sends a
 * second's requests in one burst at the second's start. Where it may, this process goes before others: what it is late itself
 * would be told as the server's time.
 */
export async function pace(load: Load & { rate: number }): Promise<LoadFigures> {
  const answers = new Map<string, number>();
  const times: number[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  const { hostname, port } = new URL(load.url);
  const all: Promise<void>[] = [];
  const total = Math.round(load.rate * load.seconds);
  goFirst();
  const began = performance.now();
  while (all.length < total) {
    const due = began + (all.length * 1000) / load.rate;
    if (due > performance.now()) await sleep(1);
    else
      all.push(
        send(agent, hostname, port, load.request()).then((answer) => {
          times.push(performance.now() - due);
          answers.set(answer, (answers.get(answer) ?? 0) + 1);
        }),
      );
  }
  await Promise.all(all);
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round((times[Math.floor(times.length * share)] ?? 0) * 100) / 100;
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99), answers };
}

function goFirst(): void {
  try {
    setPriority(-10);
  } catch {
    // Only root may.
  }
}

async function send(agent: Agent, hostname: string, port: string, asked: Asked): Promise<string> {
  return await new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        agent,
        hostname,
        port,
        method: asked.method,
        path: asked.path,
        headers: {
          ...asked.headers,
          ...(asked.body === undefined ? {} : { 'Content-Length': Buffer.byteLength(asked.body) }),
        },
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          resolve(status < 400 ? String(status) : codeOf(body));
        });
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(asked.body);
  });
}

function codeOf(body: string): string {
  return /"code":"([A-Z_]+)"/.exec(body)?.[1] ?? 'unknown';
}
