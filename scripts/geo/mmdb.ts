import { isIPv4 } from 'node:net';

type Value = string | number | boolean | Value[] | { [key: string]: Value };
/** What stands at one side of a node: another node, what is told of a network, or nothing. */
type Side = Node | Leaf | null;
type Node = [Side, Side];
interface Leaf {
  readonly offset: number;
}

const MARKER = Buffer.from('ABCDEF4D61784D696E642E636F6D', 'hex');
const SEPARATOR = Buffer.alloc(16);
const IPV6_BITS = 128;
const IPV4_BITS = 32;

/**
 * A small database of addresses in MaxMind's format (MMDB 2.0): networks such as `127.0.0.0/8` and what is told of them, or the bytes
 * themselves of what is told. No library writes it; benches and tests need places for addresses of their own.
 */
export function mmdbOf(networks: Readonly<Record<string, Value | Buffer>>): Buffer {
  const root: Node = [null, null];
  const data: Buffer[] = [];
  let offset = 0;
  for (const [network, told] of Object.entries(networks)) {
    const record = Buffer.isBuffer(told) ? told : encoded(told);
    put(root, bitsOf(network), { offset });
    data.push(record);
    offset += record.length;
  }
  const nodes = nodesOf(root);
  const metadata = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: Math.floor(Date.now() / 1000),
    database_type: 'Parley',
    description: {},
    ip_version: 6,
    languages: [],
    node_count: nodes.length,
    record_size: 32,
  };
  return Buffer.concat([treeOf(nodes), SEPARATOR, ...data, MARKER, encoded(metadata)]);
}

/** The bits of a network's prefix. IPv4 lies at the beginning of IPv6. */
function bitsOf(network: string): number[] {
  const [address = '', prefix = ''] = network.split('/');
  const v4 = isIPv4(address);
  const host = v4 ? address : (URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? '');
  const bits = v4
    ? '0'.repeat(IPV6_BITS - IPV4_BITS) +
      host
        .split('.')
        .map((part) => binary(Number(part), 8))
        .join('')
    : groupsOf(host)
        .map((part) => binary(Number.parseInt(part, 16), 16))
        .join('');
  return bits
    .slice(0, Number(prefix) + (v4 ? IPV6_BITS - IPV4_BITS : 0))
    .split('')
    .map(Number);
}

function groupsOf(address: string): string[] {
  const [left = '', right] = address.split('::');
  const [before, after] = [left, right ?? ''].map((side) => side.split(':').filter((part) => part !== ''));
  const missing = right === undefined ? 0 : 8 - (before?.length ?? 0) - (after?.length ?? 0);
  return [...(before ?? []), ...Array.from({ length: missing }, () => '0'), ...(after ?? [])];
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, '0');
}

function put(root: Node, bits: readonly number[], leaf: Leaf): void {
  let node = root;
  for (const [index, bit] of bits.entries()) {
    if (index === bits.length - 1) {
      node[bit] = leaf;
      return;
    }
    const next = node[bit];
    node = Array.isArray(next) ? next : (node[bit] = [null, null]);
  }
}

function nodesOf(root: Node): Node[] {
  const nodes = [root];
  for (const node of nodes) nodes.push(...node.filter((side): side is Node => Array.isArray(side)));
  return nodes;
}

function treeOf(nodes: readonly Node[]): Buffer {
  const indexes = new Map(nodes.map((node, index) => [node, index]));
  const tree = Buffer.alloc(nodes.length * 8);
  const valueOf = (side: Side): number => {
    if (side === null) return nodes.length;
    return Array.isArray(side) ? (indexes.get(side) ?? 0) : nodes.length + SEPARATOR.length + side.offset;
  };
  for (const [index, [left, right]] of nodes.entries()) {
    tree.writeUInt32BE(valueOf(left), index * 8);
    tree.writeUInt32BE(valueOf(right), index * 8 + 4);
  }
  return tree;
}

function encoded(value: Value): Buffer {
  if (typeof value === 'string')
    return Buffer.concat([header(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'boolean') return header(14, value ? 1 : 0);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([header(6, bytes.length), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([header(11, value.length), ...value.map(encoded)]);
  const entries = Object.entries(value);
  return Buffer.concat([
    header(7, entries.length),
    ...entries.flatMap(([key, told]) => [encoded(key), encoded(told)]),
  ]);
}

/** The type and the size of what follows; types from 8 on take a byte more. */
function header(type: number, size: number): Buffer {
  if (size > 28) throw new Error('what is told is longer than this writer can tell');
  return type > 7 ? Buffer.from([size, type - 7]) : Buffer.from([(type << 5) | size]);
}
