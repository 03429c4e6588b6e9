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
const now = () => performance.timeOrigin + performance.now();
const report: ClientsReport = { games: [], game: [], from: [], seq: [], at: [], bytes: 0 };
const places = new Map<string, number>();

process.on('message', (message: ClientsOrder | 'reset' | 'report') => {
  if (message === 'report') process.send?.(report);
  else if (message === 'reset')
    for (const key of ['game', 'from', 'seq', 'at'] as const) report[key].length = 0;
  else open(message).catch(fail);
  if (message === 'reset') report.bytes = 0;
});

function fail(error: unknown): never {
  throw error;
}

async function open({ url, sockets }: ClientsOrder): Promise<void> {
  for (const { gameId } of sockets)
    if (!places.has(gameId)) places.set(gameId, report.games.push(gameId) - 1);
  // A few at a time: a thousand handshakes at once are another question.
  for (let from = 0; from < sockets.length; from += 25)
    await Promise.all(sockets.slice(from, from + 25).map((socket) => connect(url, socket)));
  process.send?.('ready');
}

/** Socket.IO over a bare WebSocket: what a library would add is the client's time and not the server's. */
async function connect(url: string, { token, gameId }: ClientsOrder['sockets'][number]): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('error', () => reject(new Error('a socket failed')));
    socket.addEventListener('message', (event) => {
      const data = String(event.data);
      if (data.startsWith(CHANGED)) hear(data);
      else if (data === '2') socket.send('3');
      else if (data.startsWith('0{')) socket.send(`40/odds,${JSON.stringify({ token })}`);
      else if (data.startsWith('40/odds,'))
        socket.send(`42/odds,0${JSON.stringify(['subscribe', { games: [gameId] }])}`);
      else if (data.startsWith('43/odds,0')) resolve();
      else if (data.startsWith('44/odds,')) reject(new Error(data));
    });
  });
}

function hear(data: string): void {
  const at = now();
  const [, gameId = '', from, seq] = /"gameId":"([^"]+)","from":(\d+),"seq":(\d+)/.exec(data) ?? [];
  report.game.push(places.get(gameId) ?? -1);
  report.from.push(Number(from));
  report.seq.push(Number(seq));
  report.at.push(at);
  report.bytes += data.length;
}
