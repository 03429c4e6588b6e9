/** Where a request came from, as coarsely as it is counted. */
export interface Networks {
  /** One subscriber: an IPv4 address, or the /64 that one gets of IPv6. */
  readonly address: string;
  /** Around it: the /24 or the /48. */
  readonly neighbourhood: string;
}

const MAPPED_IPV4 = /^(?:0{0,4}:){2,}f{4}:(\d+\.\d+\.\d+\.\d+)$/i;
const GROUPS = 8;

/** Of an address as sockets tell it; IPv4 that comes as IPv6 is IPv4. What is no address is a network of its own. */
export function networksOf(address: string): Networks {
  const text = MAPPED_IPV4.exec(address)?.[1] ?? address;
  const octets = text.split('.');
  if (octets.length === 4)
    return { address: `${text}/32`, neighbourhood: `${octets.slice(0, 3).join('.')}.0/24` };
  const groups = groupsOf(text);
  if (groups === null) return { address: 'unknown', neighbourhood: 'unknown' };
  const prefix = (length: number) => `${groups.slice(0, length).join(':')}::/${length * 16}`;
  return { address: prefix(4), neighbourhood: prefix(3) };
}

/** The eight groups in their shortest form, or null. */
function groupsOf(address: string): string[] | null {
  const [bare = ''] = address.split('%');
  const halves = bare.split('::');
  if (bare === '' || halves.length > 2) return null;
  const [left = [], right = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = GROUPS - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const all = [...left, ...Array<string>(missing).fill('0'), ...right];
  return all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? all.map((group) => Number.parseInt(group, 16).toString(16))
    : null;
}
