/** The outcomes of markets decided by the score, in the order in which they are shown. */
const ORDER = `ARRAY['home', 'draw', 'away', 'over', 'under']`;

/**
 * One game `g` as clients see it, made by Postgres in one pass: markets in the order of their kind, prices in that of their
 * outcomes; an outcome whose price was taken away has none. `numbered` adds to each market and price the number of its game's changes at which it changed last.
 */
export function gameJson(form: 'plain' | 'numbered' = 'plain'): string {
  const numbered = form === 'numbered';
  return `json_build_object(
  'id', g.id, 'sport', g.sport, 'league', g.league, 'season', g.season, 'homeTeam', g.home_team,
  'awayTeam', g.away_team, 'neutral', g.neutral,
  'startsAt', to_char(g.starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'status', g.status,
  'homeScore', g.home_score, 'awayScore', g.away_score, 'periods', g.periods,
  'resultConfirmed', g.confirmed_at IS NOT NULL, 'externalId', g.external_id,
  'seq', (SELECT h.seq FROM game_heads h WHERE h.game_id = g.id),
  'markets', coalesce((
    SELECT json_agg(json_build_object('id', m.id, 'kind', m.kind, 'line', m.line::text, 'prop', m.prop, 'title', m.title,
      'outcomes', m.outcomes, 'places', m.places, 'maxStake', m.max_stake, 'status', m.status, ${numbered ? `'seq', m.seq,` : ''}
      'prices', coalesce((
        SELECT json_agg(json_build_object('outcome', p.outcome, 'oddsId', p.odds_id, 'american', p.american,
          'decimal', round(p.price_num::numeric / p.price_den, 4)::text ${numbered ? `, 'seq', p.seq` : ''})
          ORDER BY CASE WHEN m.kind <> 'prop' THEN array_position(${ORDER}, p.outcome)
                   ELSE (SELECT n FROM jsonb_array_elements(m.outcomes) WITH ORDINALITY AS o (named, n)
                         WHERE o.named ->> 'key' = p.outcome)::int END)
        FROM market_prices p WHERE p.market_id = m.id AND p.odds_id IS NOT NULL), '[]'::json))
      ORDER BY m.kind, m.line, m.prop, m.id)
    FROM markets m WHERE m.game_id = g.id), '[]'::json))`;
}
