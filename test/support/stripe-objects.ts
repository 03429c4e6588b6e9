import { type Params, stripeResources } from './stripe-document.js';
import { Refused } from './stripe-rules.js';

/** As much of any of Stripe's objects as is looked at here. */
export type StripeObject = Record<string, unknown> & { id: string; object: string; created: number };

interface Listed {
  limit?: number;
  starting_after?: string;
  created?: { gte?: number; lt?: number };
  expand?: string[];
}

/** The objects that an account has, and the ways in which Stripe shows them: one, a list, a search. */
export class StripeObjects {
  /** Seconds of Stripe's clock. */
  now = Math.floor(Date.now() / 1000);
  private readonly objects = new Map<string, StripeObject>();
  private count = 0;

  get(id: string): StripeObject {
    const found = this.objects.get(id);
    if (!found) throw new Refused(404, 'resource_missing', 'id', `No such object: '${id}'`);
    return found;
  }

  all(object: string): StripeObject[] {
    return [...this.objects.values()].filter((each) => each.object === object);
  }

  protected listed(object: string, params: Params): object {
    const { limit = 10, starting_after, created, expand = [], ...filters } = params as Listed;
    const matching = this.all(object)
      .filter((each) => Object.entries(filters).every(([name, value]) => each[name] === value))
      .filter(
        (each) => each.created >= (created?.gte ?? 0) && each.created < (created?.lt ?? Number.MAX_VALUE),
      )
      .toReversed();
    const begin =
      starting_after === undefined ? 0 : matching.findIndex(({ id }) => id === starting_after) + 1;
    const inner = expand.map((path) => path.replace(/^data\./, ''));
    const data = matching.slice(begin, begin + limit).map((each) => this.expanded(each, inner));
    return { object: 'list', url: '/v1/list', has_more: matching.length > begin + limit, data };
  }

  protected found(object: string, { query }: Params): object {
    const [, name, value] = /^metadata\['(\w+)'\]:'([\w-]+)'$/.exec(query as string) ?? [];
    if (name === undefined)
      throw new Refused(400, undefined, 'query', 'We were unable to parse your search query.');
    const data = this.all(object).filter((each) => (each['metadata'] as Params)[name] === value);
    return { object: 'search_result', url: '/v1/search', has_more: false, next_page: null, data };
  }

  protected expanded(object: StripeObject, paths: readonly string[]): StripeObject {
    const copy = structuredClone(object);
    delete copy['standIn'];
    for (const path of paths) {
      const [name = '', ...rest] = path.split('.');
      if (name === 'payments' && copy.object === 'invoice') {
        const data = this.all('invoice_payment').filter((each) => each['invoice'] === copy.id);
        copy['payments'] = { object: 'list', has_more: false, url: '/v1/invoice_payments', data };
      } else if (!(name in copy)) {
        throw new Refused(400, undefined, 'expand', `This property cannot be expanded (${path}).`);
      } else if (typeof copy[name] === 'string')
        copy[name] = this.expanded(this.get(copy[name]), rest.length > 0 ? [rest.join('.')] : []);
    }
    return copy;
  }

  protected make(object: string, prefix: string, fields: Params): StripeObject {
    const id = this.id(prefix);
    const made = {
      ...structuredClone(stripeResources[object]),
      ...fields,
      id,
      object,
      created: this.now,
    } as StripeObject;
    this.objects.set(id, made);
    return made;
  }

  protected patch(id: string, fields: Params): StripeObject {
    return Object.assign(this.get(id), fields);
  }

  protected id(prefix: string): string {
    this.count += 1;
    return `${prefix}_${String(this.count).padStart(24, '0')}`;
  }
}
