import { createHash } from 'node:crypto';

/**
 * The X-Reference-Id of one of our ids. MTN takes UUIDs of version 4 only and ours are version 7, so it is the id's digest
 * in the form of a version 4. One id gives one reference for ever, so asking twice is recognised (409) and no mapping is stored.
 */
export function referenceIdOf(id: string): string {
  const bytes = createHash('sha256').update(`mtn-momo:${id}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
