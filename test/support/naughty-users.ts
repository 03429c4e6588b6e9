import { randomUUID } from 'node:crypto';
import { type Answer, Client } from './client.js';
import { FEW, MANY, NAUGHTY, type NaughtyPlace } from './naughty-place.js';
import { fitting, type Named, type Way, way } from './naughty-way.js';

const HANDLES = NAUGHTY.filter((text) => /^\w{3,20}$/.test(text));

/** Of the handles each way has its own: an account has one to itself. */
const handlesOf = (part: number) => ({
  strings: HANDLES.filter((_, index) => index % 4 === part),
  taken: 5,
  refused: [400, 409, 422],
});

/** What users write about themselves, their devices and others. */
export function usersWays(place: NaughtyPlace): Named[] {
  return [...profile(place), ...accounts(place), ...moderation(place), ...devices(place)];
}

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
