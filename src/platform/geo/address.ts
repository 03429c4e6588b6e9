import { BlockList, isIP } from 'node:net';

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** This machine and networks that nobody routes: RFC 1122, 1918, 3927, 4193, 4291. */
const LOCAL = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const)
  LOCAL.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  LOCAL.addSubnet(network, prefix, 'ipv6');

/** One text an address: IPv6 in its shortest form, IPv4 within IPv6 as IPv4. Null when it is no address. */
export function canonicalAddress(text: string | undefined): string | null {
  if (text === undefined) return null;
  const family = isIP(text);
  if (family !== 6) return family === 4 ? text : null;
  const host = URL.parse(`http://[${text}]`)?.hostname; // none with a zone, which says nothing here
  if (host === undefined) return null;
  const address = host.slice(1, -1);
  const mapped = MAPPED.exec(address);
  return mapped === null ? address : dotted(Number.parseInt(`${half(mapped[1])}${half(mapped[2])}`, 16));
}

/** IPv4 of its number. */
export function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** Whether a canonical address is this machine's or a private network's. */
export function isLocal(address: string): boolean {
  return LOCAL.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}

function half(digits = ''): string {
  return digits.padStart(4, '0');
}
