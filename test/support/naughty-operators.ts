import { randomUUID } from 'node:crypto';
import type { Answer } from './client.js';
import { FEW, type NaughtyPlace } from './naughty-place.js';
import { fitting, type Named, way } from './naughty-way.js';

/** What operators write: reasons, notes and the texts of offers. */
export function operatorsWays(place: NaughtyPlace): Named[] {
  return [
    ...offers(place), // before their markets are voided
    ...games(place),
    ...payments(place),
    ...withdrawals(place),
    ...identities(place),
    ...bets(place),
  ];
}

const PROP = {
  title: 'First touchdown',
  outcomes: [
    { key: 'kelce', label: 'Travis Kelce', american: -110 },
    { key: 'hill', label: 'Tyreek Hill', american: -105 },
  ],
};

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
      return { prices: [{ outcome, american: -110 - index }] };
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
