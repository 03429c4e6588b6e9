/** What the rules need of a place and of its jurisdiction. */
interface Somewhere {
  readonly country: string | null;
  readonly region: string | null;
  readonly anonymous: boolean;
}

/**
 * The rules of the place: of its region, else of its country, else the usual ones. Null when it cannot be told where somebody is: no
 * country, one whose regions have rules of their own and the region is unknown, or a network that hides it.
 */
export function jurisdictionOf<Rules extends { readonly regions: 'required' | 'optional' }>(
  all: ReadonlyMap<string, Rules>,
  { country, region, anonymous }: Somewhere,
): Rules | null {
  if (country === null || anonymous) return null;
  const part = region === null ? undefined : all.get(`${country}-${region}`);
  if (part !== undefined) return part;
  const whole = all.get(country);
  if (whole?.regions === 'required') return null;
  return whole ?? all.get('usual') ?? null;
}
