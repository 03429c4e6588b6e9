import { randomUUID } from 'node:crypto';
import { type Answer, Client } from './client.js';
import { FEW, MANY, NAUGHTY, type NaughtyPlace } from './naughty-place.js';

/** How a text is written, and where it is read again. */
export interface Way {
  strings: readonly string[];
  /** How many of them are taken, at least. */
  taken: number;
  /** The statuses of a refusal. */
  refused: readonly number[];
  /** One after the other, not many at once. */
  inTurn?: boolean;
  /** Tables that a refusal writes to as well. */
  besides?: readonly string[];
  send: (text: string, index: number) => Promise<Answer>;
  /** What is told of it, by all who tell it. */
  told: (answer: Answer, text: string, index: number) => unknown[] | Promise<unknown[]>;
}

const HANDLES = NAUGHTY.filter((text) => /^\w{3,20}$/.test(text));
const fitting = (max: number, strings = NAUGHTY) =>
  strings.filter((text) => text !== '' && Array.from(text).length <= max).length;

type Named = [string, Way];

/** Every field whose text is told again, by its name. */
export function waysOf(place: NaughtyPlace): ReadonlyMap<string, Way> {
  return new Map([
    ...profile(place),
    ...accounts(place),
    ...moderation(place),
    ...devices(place),
    ...offers(place), // before their markets are voided
    ...games(place),
    ...payments(place),
    ...withdrawals(place),
    ...identities(place),
    ...bets(place),
  ]);
}

function way(given: Partial<Way> & Pick<Way, 'send' | 'told'>): Way {
  return { strings: NAUGHTY, taken: 0, refused: [400, 422], ...given };
}

/** Of the handles each way has its own: an account has one to itself. */
const handlesOf = (part: number) => ({
  strings: HANDLES.filter((_, index) => index % 4 === part),
  taken: 5,
  refused: [400, 409, 422],
});

function profile(place: NaughtyPlace): Named[] {
  const field = (
    name: string,
    over: Partial<Way>,
    wrap: (text: string) => unknown = (text) => text,
  ): Named => [
    `Profiles_update.${name}`,
    way({
      send: (text, index) =>
        place.players[index]!.call('PATCH', 'users/me', { body: { [name.replace('[]', '')]: wrap(text) } }),
      told: async ({ data }) => {
        const others = await place.reader.get(`users/${data.handle}`);
        return [data, others.data].map((one) => one[name.replace('[]', '')]).flat();
      },
      ...over,
    }),
  ];
  return [
    field('displayName', { strings: MANY, taken: fitting(60, MANY) }),
    field('bio', { taken: fitting(500) }),
    field('handle', handlesOf(0)),
    field('avatarUrl', { strings: FEW }),
    field('country', { strings: FEW }),
    field('favouriteSports[]', { strings: FEW }, (text) => [text]),
  ];
}

function accounts(place: NaughtyPlace): Named[] {
  const field = (name: string, open: (over: object) => Promise<Answer>, over: Partial<Way>): Named => {
    const own = name.split('.').at(-1)!;
    return [
      name,
      way({
        send: (text) => open({ [own]: text }),
        told: async ({ data }) => {
          const mine = await new Client(place.system.url, data.accessToken).get('users/me');
          return [data.user[own], mine.data[own]];
        },
        ...over,
      }),
    ];
  };
  const names = { strings: FEW, taken: fitting(60, FEW) };
  const byPassword = (over: object) => place.byPassword(over);
  const byGoogle = (over: object) => place.byGoogle({ account: place.account(over) });
  const byCode = (over: object) => place.byCode(over);
  const coded = { inTurn: true, besides: ['otp_challenges', 'otp_hours', 'outbox'] };
  return [
    field('Auth_register.displayName', byPassword, names),
    // That somebody asks is entered before it is known that the handle is taken.
    field('Auth_register.handle', byPassword, { ...handlesOf(1), besides: ['attempt_counters'] }),
    field('Auth_register.email', byPassword, { strings: FEW }),
    [
      'Auth_register.password',
      way({
        strings: FEW,
        taken: 10,
        send: (password) => byPassword({ password }),
        told: async ({ data: { user } }, password) => {
          const { status } = await place.oauth.anyone.post('auth/login', { email: user.email, password });
          return [status === 200 && password];
        },
      }),
    ],
    field('Otp_verify.account.displayName', byCode, { ...names, ...coded }),
    field('Otp_verify.account.handle', byCode, { ...handlesOf(2), ...coded }),
    field('OAuth_signIn.account.displayName', byGoogle, names),
    field('OAuth_signIn.account.handle', byGoogle, handlesOf(3)),
  ];
}

function moderation(place: NaughtyPlace): Named[] {
  const about = (index: number) => place.players[index]!.userId;
  return [
    [
      'Reports_report.note',
      way({
        taken: fitting(1000),
        send: (note, index) =>
          place.reporters[index % place.reporters.length]!.post(`users/${about(index)}/report`, {
            reason: 'spam',
            note,
          }),
        told: async ({ data }) => [data.note, (await place.reported()).get(data.subjectId)?.note],
      }),
    ],
    [
      'ReportsAdmin_decide.note',
      way({
        strings: MANY,
        taken: fitting(1000, MANY) - 1, // there is no report to decide where its own note was refused
        send: async (note, index) => {
          const id = (await place.reported()).get(about(index))?.id ?? randomUUID();
          return await place.moderator.post(`admin/reports/${id}/decide`, { decision: 'dismiss', note });
        },
        told: ({ data }) => [data.decisionNote],
      }),
    ],
  ];
}

function devices(place: NaughtyPlace): Named[] {
  const register = (index: number, over: object) =>
    place.players[index]!.post('devices', { platform: 'ios', token: randomUUID(), ...over });
  const field = (name: string, over: Partial<Way>): Named => [
    `Devices_register.${name}`,
    way({
      send: (text, index) => register(index, { [name]: text }),
      told: async ({ data }, _, index) => {
        const { data: listed } = await place.players[index]!.get('devices');
        return [data[name], listed.find(({ id }: { id: string }) => id === data.id)[name]];
      },
      ...over,
    }),
  ];
  return [
    field('appVersion', { strings: MANY, taken: fitting(40, MANY) }),
    field('locale', { strings: [...HANDLES, ...FEW], taken: 20 }),
    field('token', {
      strings: MANY,
      taken: fitting(4096, MANY),
      // Told to push services, and to its owner in an export.
      told: async ({ data }) => {
        const { rows } = await place.system.db.query('SELECT token FROM devices WHERE id = $1', [data.id]);
        return [rows[0].token];
      },
    }),
  ];
}

function offers(place: NaughtyPlace): Named[] {
  const reason = (name: string, path: string, action: string, body: (index: number) => object): Named => [
    `MarketOffers_${name}.reason`,
    way({
      strings: FEW,
      taken: fitting(500, FEW),
      inTurn: true,
      send: (text, index) =>
        place.admin.call('PUT', `admin/markets/${place.markets[index]!.id}/${path}`, {
          body: { ...body(index), reason: text },
        }),
      told: async () => [(await place.lastOf(action)).reason],
    }),
  ];
  const field = (
    name: string,
    of: (market: Answer['data']) => unknown,
    offer: (text: string) => object,
  ): Named => [
    `MarketOffers_offer.${name}`,
    way({
      strings: FEW,
      taken: fitting(120, FEW),
      send: async (text, index) => {
        const { gameId } = (await place.reader.get(`markets/${place.markets[index]!.id}`)).data;
        const key = `${name.replaceAll(/\W/g, '')}_${index}`.toLowerCase();
        return await place.admin.post(`admin/games/${gameId}/markets`, { ...PROP, key, ...offer(text) });
      },
      told: async ({ data }, _, index) => {
        const key = `${name.replaceAll(/\W/g, '')}_${index}`.toLowerCase();
        const again = (await place.reader.get(`games/${data.id}`)).data;
        return [data, again].map(({ markets }) =>
          of(markets.find(({ prop }: { prop: string }) => prop === key)),
        );
      },
    }),
  ];
  return [
    reason('price', 'prices', 'market.price', (index) => {
      const [outcome] = Object.keys(place.markets[index]!.odds);
      return { prices: [{ outcome, american: 100 + index }] };
    }),
    reason('limit', 'limit', 'market.limit', (maxStake) => ({ maxStake })),
    field(
      'title',
      (market) => market.title,
      (title) => ({ title }),
    ),
    field(
      'outcomes[].label',
      (market) => market.outcomes[0].label,
      (label) => ({ outcomes: [{ ...PROP.outcomes[0], label }, PROP.outcomes[1]] }),
    ),
  ];
}

const PROP = {
  title: 'First touchdown',
  outcomes: [
    { key: 'kelce', label: 'Travis Kelce', american: 450 },
    { key: 'hill', label: 'Tyreek Hill', american: 500 },
  ],
};

function payments(place: NaughtyPlace): Named[] {
  const few = { strings: FEW, taken: fitting(500, FEW) };
  return [
    [
      'PaymentsAdmin_refund.reason',
      way({
        ...few,
        send: (reason) =>
          place.admin.post(
            `admin/payments/${place.paymentId}/refund`,
            { amount: 1, reason },
            { key: randomUUID() },
          ),
        told: async ({ data }) => {
          const { refunds } = (await place.admin.get(`admin/payments/${place.paymentId}`)).data;
          return [data.reason, refunds.find(({ id }: { id: string }) => id === data.id).reason];
        },
      }),
    ],
    [
      'PaymentsAdmin_resolve.note',
      way({
        ...few,
        send: (note, index) =>
          place.admin.post(`admin/payments/differences/${place.differenceIds[index]}/resolve`, { note }),
        told: async ({ data }) => {
          const list = (await place.admin.get('admin/payments/differences?status=resolved&limit=100')).data;
          return [data.note, list.find(({ id }: { id: string }) => id === data.id).note];
        },
      }),
    ],
  ];
}

function withdrawals(place: NaughtyPlace): Named[] {
  return [
    [
      'WithdrawalsAdmin_decide.note',
      way({
        strings: FEW,
        taken: fitting(1000, FEW),
        send: (note, index) =>
          place.admin.post(`admin/withdrawals/${place.withdrawalIds[index]}/decide`, {
            decision: 'reject',
            note,
          }),
        told: async ({ data }) => {
          const list = (await place.admin.get('admin/withdrawals?status=rejected&limit=100')).data;
          return [data.note, list.find(({ id }: { id: string }) => id === data.id).note];
        },
      }),
    ],
  ];
}

function identities(place: NaughtyPlace): Named[] {
  return [
    [
      'HarmFlagsAdmin_decide.note',
      way({
        strings: FEW,
        taken: fitting(2000, FEW),
        send: (note, index) =>
          place.admin.post(`admin/harm-flags/${place.flagIds[index]}/decide`, {
            decision: 'contacted',
            note,
          }),
        told: async ({ data }) => {
          const list = (await place.admin.get('admin/harm-flags?status=decided&limit=100')).data;
          return [data.note, list.find(({ id }: { id: string }) => id === data.id).note];
        },
      }),
    ],
    [
      'FeedsAdmin_decide.reason',
      way({
        strings: FEW,
        taken: fitting(500, FEW),
        send: (reason, index) =>
          place.admin.post(`admin/feed-quarantine/${place.doubtIds[index]}/decide`, {
            decision: 'dismiss',
            reason,
          }),
        told: async ({ data }) => {
          const list = (await place.admin.get('admin/feed-quarantine?status=dismissed&limit=100')).data;
          return [data.decisionNote, list.find(({ id }: { id: string }) => id === data.id).decisionNote];
        },
      }),
    ],
    [
      'KycAdmin_decide.note',
      way({
        strings: FEW,
        taken: fitting(1000, FEW),
        send: (note, index) =>
          place.admin.post(`admin/kyc/${place.kycIds[index]}/decide`, {
            decision: 'reject',
            round: 1,
            reason: 'other',
            note,
          }),
        told: async ({ data }) => {
          const list = (await place.admin.get('admin/kyc?state=rejected&limit=100')).data;
          return [data.note, list.find(({ id }: { id: string }) => id === data.id).note];
        },
      }),
    ],
  ];
}

function bets(place: NaughtyPlace): Named[] {
  return [
    [
      'StakeLimitsAdmin_set.reason',
      way({
        strings: FEW,
        taken: fitting(500, FEW),
        inTurn: true,
        send: (reason, index) =>
          place.admin.call('PUT', `admin/users/${place.players[index]!.userId}/stake-limit`, {
            body: { maxStake: index, reason },
          }),
        told: async () => [(await place.lastOf('bets.stake-limit')).reason],
      }),
    ],
  ];
}

function games(place: NaughtyPlace): Named[] {
  const reasons = { strings: FEW, taken: fitting(500, FEW), inTurn: true };
  const market = (event: string): Named => [
    `SportsAdmin_${event}.reason`,
    way({
      ...reasons,
      send: async (reason, index) => {
        const path = `admin/markets/${place.markets[index]!.id}`;
        if (event === 'resume') await place.admin.post(`${path}/suspend`, { reason: 'test' });
        return await place.admin.post(`${path}/${event}`, { reason });
      },
      told: async () => [(await place.lastOf(`market.${event}`)).reason],
    }),
  ];
  return [
    market('suspend'),
    market('resume'),
    market('void'),
    [
      'SportsAdmin_result.reason',
      way({
        ...reasons,
        send: (reason, index) => place.correct({ homeScore: index + 1, reason }),
        told: async () => [(await place.lastOf('game.result')).to.reason],
      }),
    ],
  ];
}
