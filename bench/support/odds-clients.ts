import { randomBytes } from 'node:crypto';
import { connect as connectTo, type Socket } from 'node:net';

/** Many sockets that follow one game each, and when each message came to each of them. */
export interface ClientsOrder {
  url: string;
  sockets: { token: string; gameId: string }[];
}

/** Of each message its game (by its place in the order's list of games), where it goes on from, how far, and when it came. */
export interface ClientsReport {
  games: string[];
  game: number[];
  from: number[];
  seq: number[];
  at: number[];
  bytes: number;
}

const CHANGED = '42/odds,["odds:changed",';
const TEXT = 0x81;
const HEADERS_END = '\r\n\r\n';
const MOST_MESSAGES = 500_000;
const MOST_BYTES = 128_000_000;
const now = () => performance.timeOrigin + performance.now();
const places = new Map<string, number>();
/** What was heard: one text after the other, where each ends, and when it came. */
const texts = Buffer.allocUnsafe(MOST_BYTES);
const ends = new Uint32Array(MOST_MESSAGES);
const times = new Float64Array(MOST_MESSAGES);
let heard = 0;

process.on('message', (message: ClientsOrder | 'reset' | 'report') => {
  // What a round leaves behind is not collected in the next one.
  if (message === 'report') process.send?.(report(), () => globalThis.gc?.());
  else if (message === 'reset') heard = 0;
  else open(message).catch(fail);
});

function fail(error: unknown): never {
  throw error;
}

async function open({ url, sockets }: ClientsOrder): Promise<void> {
  for (const { gameId } of sockets) if (!places.has(gameId)) places.set(gameId, places.size);
  // A few at a time: a thousand handshakes at once are another question.
  for (let from = 0; from < sockets.length; from += 25)
    await Promise.all(sockets.slice(from, from + 25).map((socket) => connect(url, socket)));
  process.send?.('ready');
}

/**
 * Socket.IO over no library at all: the clients share the machine with the server, and what a library takes for a message, and the
 * garbage it makes, would be most of what is measured. So a message is only put aside with its time, and read when the round is over.
 */
async function connect(url: string, { token, gameId }: ClientsOrder['sockets'][number]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let state: 'upgrading' | 'joining' | 'ready' = 'upgrading';
    let rest: Buffer = Buffer.alloc(0);
    const hear = (data: Buffer, from: number, to: number): void => {
      if (to - from === 1) socket.write(frameOf('3'));
      else if (state === 'ready') put(data, from, to);
      else answer(data.toString('utf8', from, to));
    };
    const answer = (data: string): void => {
      if (data.startsWith('0{')) socket.write(frameOf(`40/odds,${JSON.stringify({ token })}`));
      else if (data.startsWith('40/odds,'))
        socket.write(frameOf(`42/odds,0${JSON.stringify(['subscribe', { games: [gameId] }])}`));
      else if (data.startsWith('44/odds,')) reject(new Error(data));
      else if (data.startsWith('43/odds,0')) {
        state = 'ready';
        resolve();
      }
    };
    const socket = upgrade(url, (chunk) => {
      let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const headers = state === 'upgrading' ? data.indexOf(HEADERS_END) : -1;
      if (headers >= 0) {
        if (!data.toString('latin1').startsWith('HTTP/1.1 101')) reject(new Error(data.toString('latin1')));
        data = data.subarray(headers + HEADERS_END.length);
        state = 'joining';
      }
      const read = state === 'upgrading' ? 0 : eachFrame(data, hear);
      // The buffer is used again for what comes next, to whomever.
      rest = Buffer.from(data.subarray(read));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('a socket was closed')));
  });
}

const shared = Buffer.alloc(65_536);

function upgrade(url: string, took: (chunk: Buffer) => void): Socket {
  const { hostname, port, host } = new URL(url);
  const callback = (count: number): boolean => {
    took(shared.subarray(0, count));
    return true;
  };
  const socket = connectTo({ host: hostname, port: Number(port), onread: { buffer: shared, callback } });
  socket.setNoDelay();
  const lines = [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
  ];
  socket.write(lines.join('\r\n') + HEADERS_END);
  return socket;
}

function put(data: Buffer, from: number, to: number): void {
  const start = heard === 0 ? 0 : (ends[heard - 1] ?? 0);
  if (heard === MOST_MESSAGES || start + to - from > MOST_BYTES)
    throw new Error('more was told than expected');
  data.copy(texts, start, from, to);
  ends[heard] = start + to - from;
  times[heard] = now();
  heard += 1;
}

/** Calls with where each whole text is, and answers where the last of them ends. */
function eachFrame(data: Buffer, hear: (data: Buffer, from: number, to: number) => void): number {
  let at = 0;
  while (data.length - at >= 2) {
    if (data[at] !== TEXT) throw new Error(`a frame of another kind: ${data[at]}`);
    const short = data.readUInt8(at + 1);
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (data.length - at < head) break;
    const length =
      head === 2 ? short : head === 4 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
    const end = at + head + length;
    if (data.length < end) break;
    hear(data, at + head, end);
    at = end;
  }
  return at;
}

/** A client's frames are masked: with zeros, so that they stay as they are. */
function frameOf(text: string): Buffer {
  const data = Buffer.from(text);
  const head = Buffer.alloc(data.length < 126 ? 6 : 8);
  head[0] = TEXT;
  head[1] = 0x80 | Math.min(data.length, 126);
  if (data.length >= 126) head.writeUInt16BE(data.length, 2);
  return Buffer.concat([head, data]);
}

function report(): ClientsReport {
  const told: ClientsReport = { games: [...places.keys()], game: [], from: [], seq: [], at: [], bytes: 0 };
  for (let index = 0; index < heard; index += 1) {
    const data = texts.toString('utf8', index === 0 ? 0 : ends[index - 1], ends[index]);
    if (!data.startsWith(CHANGED)) continue;
    const [, gameId = '', from, seq] = /"gameId":"([^"]+)","from":(\d+),"seq":(\d+)/.exec(data) ?? [];
    told.game.push(places.get(gameId) ?? -1);
    told.from.push(Number(from));
    told.seq.push(Number(seq));
    told.at.push(times[index] ?? Number.NaN);
    told.bytes += data.length;
  }
  return told;
}
