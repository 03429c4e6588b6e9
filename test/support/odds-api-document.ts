import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: {
    readonly type: string;
    readonly enum?: readonly string[];
    readonly minimum?: number;
    readonly maximum?: number;
    readonly format?: string;
  };
}
interface Described {
  readonly paths: Readonly<Record<string, { readonly get: { readonly parameters?: readonly Parameter[] } }>>;
}

export interface RequestProblem {
  readonly code: string;
  readonly text: string;
}

/** A description of the API by somebody else, which states no licence and so is read only where it is at hand. */
const DESCRIPTION = join(
  import.meta.dirname,
  '../../../shared/data/specs/odds-api/the-odds-api-v4-openapi.yml',
);

/** Their own documentation, of what the description leaves open. https://the-odds-api.com/sports-odds-data/bookmaker-apis.html */
const REGIONS = ['us', 'us2', 'us_dfs', 'us_ex', 'uk', 'eu', 'fr', 'se', 'au'];
const FEATURED = ['h2h', 'spreads', 'totals', 'outrights', 'h2h_lay', 'outrights_lay'];
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const text: Parameter['schema'] = { type: 'string' };
const FORMATS: readonly Parameter[] = [
  { name: 'apiKey', in: 'query', required: true, schema: text },
  { name: 'dateFormat', in: 'query', schema: { type: 'string', enum: ['iso', 'unix'] } },
  { name: 'eventIds', in: 'query', schema: text },
];
const TIMES: readonly Parameter[] = ['commenceTimeFrom', 'commenceTimeTo'].map((name) => ({
  name,
  in: 'query',
  schema: { type: 'string', format: 'date-time' },
}));
const BY_HAND: Readonly<Record<string, readonly Parameter[]>> = {
  '/v4/sports/{sport}/events': [...FORMATS, ...TIMES],
  '/v4/sports/{sport}/scores': [
    ...FORMATS,
    { name: 'daysFrom', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 3 } },
  ],
  '/v4/sports/{sport}/odds': [
    ...FORMATS,
    ...TIMES,
    { name: 'regions', in: 'query', required: true, schema: text },
    { name: 'markets', in: 'query', schema: text },
    { name: 'oddsFormat', in: 'query', schema: { type: 'string', enum: ['decimal', 'american'] } },
    { name: 'bookmakers', in: 'query', schema: text },
    { name: 'includeLinks', in: 'query', schema: { type: 'boolean' } },
    { name: 'includeBetLimits', in: 'query', schema: { type: 'boolean' } },
  ],
};
const CODES: Readonly<Record<string, string>> = {
  regions: 'INVALID_REGION',
  markets: 'INVALID_MARKET',
  oddsFormat: 'INVALID_ODDS_FORMAT',
  dateFormat: 'INVALID_DATE_FORMAT',
  daysFrom: 'INVALID_SCORES_DAYS_FROM',
  eventIds: 'INVALID_EVENT_IDS',
  commenceTimeFrom: 'INVALID_COMMENCE_TIME_FROM',
  commenceTimeTo: 'INVALID_COMMENCE_TIME_TO',
};

/** What may be asked of The Odds API, by hand and by the description where there is one. */
export class OddsApiDocument {
  private readonly described: Described | null = existsSync(DESCRIPTION)
    ? (parse(readFileSync(DESCRIPTION, 'utf8')) as Described)
    : null;

  /** What is wrong with a query, by their own code. */
  problemOf(path: string, query: URLSearchParams): RequestProblem | null {
    const described = this.described?.paths[path]?.get.parameters;
    return (
      byParameters(BY_HAND[path] ?? [], query) ??
      (described ? byParameters(described, query) : null) ??
      byMeaning(query)
    );
  }
}

function byParameters(parameters: readonly Parameter[], query: URLSearchParams): RequestProblem | null {
  const known = parameters.filter((parameter) => parameter.in === 'query');
  for (const { name, required } of known)
    if (required && !query.get(name)) return problem(name, `${name} is missing`, 'MISSING_REGION');
  for (const [name, value] of query) {
    const parameter = known.find((each) => each.name === name);
    if (!parameter) return problem(name, `${name} is not a parameter`);
    if (query.getAll(name).length > 1) return problem(name, `${name} is there twice`);
    if (!fits(parameter.schema, value)) return problem(name, `${name} cannot be ${value}`);
  }
  return null;
}

function fits(
  { type, enum: allowed, minimum, maximum, format }: Parameter['schema'],
  value: string,
): boolean {
  if (allowed && !allowed.includes(value)) return false;
  if (type === 'boolean') return ['true', 'false'].includes(value);
  if (format === 'date-time') return INSTANT.test(value);
  if (type !== 'integer') return true;
  return /^\d+$/.test(value) && Number(value) >= (minimum ?? 0) && Number(value) <= (maximum ?? Infinity);
}

function byMeaning(query: URLSearchParams): RequestProblem | null {
  const list = (name: string): string[] => query.get(name)?.split(',') ?? [];
  if (list('regions').some((region) => !REGIONS.includes(region)))
    return problem('regions', `regions cannot be ${query.get('regions')}`);
  if (list('markets').some((market) => !FEATURED.includes(market)))
    return problem('markets', `markets cannot be ${query.get('markets')}`);
  if (list('eventIds').some((id) => !/^[0-9a-f]{32}$/.test(id)))
    return problem('eventIds', 'eventIds are none');
  return null;
}

function problem(name: string, what: string, missing?: string): RequestProblem {
  return { code: (what.endsWith('missing') ? missing : CODES[name]) ?? 'INVALID_PARAMETER', text: what };
}
