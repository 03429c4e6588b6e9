/**
 * Regions of the two countries whose rules differ by region, by name: some databases tell no codes. ISO 3166-2; names in
 * small letters without accents.
 */
const REGIONS: Readonly<Record<string, string>> = {
  US: `AL alabama, AK alaska, AZ arizona, AR arkansas, CA california, CO colorado, CT connecticut, DE delaware,
    DC district of columbia, FL florida, GA georgia, HI hawaii, ID idaho, IL illinois, IN indiana, IA iowa, KS kansas,
    KY kentucky, LA louisiana, ME maine, MD maryland, MA massachusetts, MI michigan, MN minnesota, MS mississippi,
    MO missouri, MT montana, NE nebraska, NV nevada, NH new hampshire, NJ new jersey, NM new mexico, NY new york,
    NC north carolina, ND north dakota, OH ohio, OK oklahoma, OR oregon, PA pennsylvania, RI rhode island,
    SC south carolina, SD south dakota, TN tennessee, TX texas, UT utah, VT vermont, VA virginia, WA washington,
    WV west virginia, WI wisconsin, WY wyoming`,
  CA: `AB alberta, BC british columbia, MB manitoba, NB new brunswick, NL newfoundland and labrador, NS nova scotia,
    NT northwest territories, NU nunavut, ON ontario, PE prince edward island, QC quebec, SK saskatchewan, YT yukon`,
};

const CODES = new Map(
  Object.entries(REGIONS).flatMap(([country, list]) =>
    list.split(/,\s+/).map((entry) => [`${country} ${entry.slice(3)}`, entry.slice(0, 2)] as const),
  ),
);

/** The code of a region by its English name. Null when it is not one that is known here. */
export function regionCode(country: string, name: string): string | null {
  const plain = name.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return CODES.get(`${country} ${plain}`) ?? null;
}
