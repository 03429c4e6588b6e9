import type { MarketColumns, QuoteColumns } from './read-market.js';

/**
 * The markets of football-data.co.uk, named as in the publisher's key to its columns. Odds are those taken before
 * the game, not the closing ones (`PSCH`, `PC>2.5`, `AHCh`, …), which only the later seasons have. Preferred is the sharpest
 * bookmaker; averages come last, for nobody offered them.
 */
export const FOOTBALL_DATA_MARKETS: readonly MarketColumns[] = [
  {
    kind: 'three_way',
    odds: 'decimal',
    // Pinnacle, Bet365, Gamebookers, William Hill, Ladbrokes, Bet&Win, Interwetten, VC Bet; no bookmaker has all seasons.
    quotes: ['PS', 'B365', 'GB', 'WH', 'LB', 'BW', 'IW', 'VC', 'Avg', 'BbAv'].map((bookmaker) => ({
      prices: [
        { outcome: 'home', column: `${bookmaker}H` },
        { outcome: 'draw', column: `${bookmaker}D` },
        { outcome: 'away', column: `${bookmaker}A` },
      ],
    })),
  },
  {
    kind: 'spread',
    odds: 'decimal',
    quotes: [
      // Until 2018-19 each bookmaker had a line of its own, since then all quote on the one in `AHh`.
      handicap('AHh', 'PAHH', 'PAHA'),
      handicap('PAH', 'PAHH', 'PAHA'),
      handicap('AHh', 'B365AHH', 'B365AHA'),
      handicap('B365AH', 'B365AHH', 'B365AHA'),
      handicap('GBAH', 'GBAHH', 'GBAHA'),
      handicap('LBAH', 'LBAHH', 'LBAHA'),
      handicap('AHh', 'AvgAHH', 'AvgAHA'),
      handicap('BbAHh', 'BbAvAHH', 'BbAvAHA'),
    ],
  },
  {
    kind: 'total',
    odds: 'decimal',
    fixedLine: '2.5',
    quotes: ['P', 'B365', 'GB', 'Avg', 'BbAv'].map((bookmaker) => ({
      prices: [
        { outcome: 'over', column: `${bookmaker}>2.5` },
        { outcome: 'under', column: `${bookmaker}<2.5` },
      ],
    })),
  },
];

function handicap(line: string, home: string, away: string): QuoteColumns {
  return {
    line,
    prices: [
      { outcome: 'home', column: home },
      { outcome: 'away', column: away },
    ],
  };
}
