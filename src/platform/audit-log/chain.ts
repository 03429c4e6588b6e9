import { createHash } from 'node:crypto';

/** Where an entry stands in the order that the log is sealed in. */
export interface EntryKey {
  /** The number of the transaction that wrote it, in digits. */
  readonly tx: string;
  readonly id: string;
}

/** An entry as it is hashed: every column as the text that Postgres makes of it. */
export interface ChainEntry extends EntryKey {
  /** Microseconds since 1970. */
  readonly micros: string;
  readonly actor: string | null;
  readonly action: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly details: string;
  readonly requestId: string | null;
}

/** What a seal says, before it is hashed itself. */
export interface SealContent {
  /** 1, 2, 3, … */
  readonly number: number;
  readonly first: EntryKey;
  readonly last: EntryKey;
  readonly entries: number;
  readonly entriesHash: Buffer;
  /** The hash of the seal before; null of the first one. */
  readonly previous: Buffer | null;
  /** Microseconds since 1970. */
  readonly sealedMicros: string;
}

export interface Seal extends SealContent {
  /** The digest of each entry, one after the other. */
  readonly digests: Buffer;
  readonly hash: Buffer;
}

/** A seal by its number and its hash in hex: whoever has kept it elsewhere knows the chain up to it. */
export interface ChainHead {
  readonly number: number;
  readonly hash: string;
}

export const DIGEST_BYTES = 32;
/** Before every entry. */
export const BEGINNING: EntryKey = { tx: '-1', id: '00000000-0000-0000-0000-000000000000' };

/** SHA-256 of the entry's columns as a JSON array of texts and nulls: whoever has the entry can compute it. */
export function digestOf(entry: ChainEntry): Buffer {
  const { id, tx, micros, actor, action, subjectType, subjectId, details, requestId } = entry;
  return sha256(JSON.stringify([id, tx, micros, actor, action, subjectType, subjectId, details, requestId]));
}

export function hashOfSeal(seal: SealContent): Buffer {
  const { number, first, last, entries, sealedMicros, entriesHash, previous } = seal;
  return sha256(
    JSON.stringify([
      number,
      first.tx,
      first.id,
      last.tx,
      last.id,
      entries,
      sealedMicros,
      entriesHash.toString('hex'),
      previous?.toString('hex') ?? null,
    ]),
  );
}

/** Seals entries, which are in order, behind the seal before. */
export function sealOf(
  entries: readonly [ChainEntry, ...ChainEntry[]],
  previous: ChainHead | null,
  sealedMicros: string,
): Seal {
  const digests = Buffer.concat(entries.map(digestOf));
  const content: SealContent = {
    number: (previous?.number ?? 0) + 1,
    first: keyOf(entries[0]),
    last: keyOf(entries.at(-1) ?? entries[0]),
    entries: entries.length,
    entriesHash: sha256(digests),
    previous: previous && Buffer.from(previous.hash, 'hex'),
    sealedMicros,
  };
  return { ...content, digests, hash: hashOfSeal(content) };
}

export function headOf({ number, hash }: Seal): ChainHead {
  return { number, hash: hash.toString('hex') };
}

/** What is wrong with a seal itself, `before` being the one before it. */
export function problemsOfSeal(seal: Seal, before: ChainHead | null): string[] {
  const expected = (before?.number ?? 0) + 1;
  const problems: string[] = [];
  if (seal.number !== expected)
    problems.push(
      seal.number === expected + 1
        ? `seal ${expected} is missing`
        : `seals ${expected} to ${seal.number - 1} are missing`,
    );
  else if ((seal.previous?.toString('hex') ?? null) !== (before?.hash ?? null))
    problems.push('it does not follow the seal before it');
  if (!hashOfSeal(seal).equals(seal.hash)) problems.push('its hash is not that of what it says');
  if (!sha256(seal.digests).equals(seal.entriesHash) || seal.digests.length !== seal.entries * DIGEST_BYTES)
    problems.push('its digests are not those that it was made of');
  return problems;
}

/** True when `a` is not behind `b`. UUIDs in small letters are in the order of their bytes. */
export function isUpTo(a: EntryKey, b: EntryKey): boolean {
  const [x, y] = [BigInt(a.tx), BigInt(b.tx)];
  return x === y ? a.id <= b.id : x < y;
}

/** What stands where, when entries are not those that were sealed. Between two that are, as many are edited as there are of both. */
export function differences(digests: Buffer, found: readonly ChainEntry[]): string[] {
  const sealed = Array.from({ length: digests.length / DIGEST_BYTES }, (_, place) =>
    digests.toString('hex', place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES),
  );
  const placeOf = new Map(sealed.map((digest, place) => [digest, place]));
  const problems: string[] = [];
  let next = 0;
  let strangers: ChainEntry[] = [];
  const closeGap = (end: number): void => {
    const gone = Math.max(0, end - next);
    for (const [n, { id }] of strangers.entries())
      problems.push(n < gone ? `entry ${id} was edited` : `entry ${id} was inserted`);
    for (let place = next + strangers.length; place < end; place += 1)
      problems.push(`entry ${place + 1} of ${sealed.length} is missing`);
    strangers = [];
  };
  for (const entry of found) {
    const place = placeOf.get(digestOf(entry).toString('hex'));
    if (place === undefined) strangers.push(entry);
    else {
      closeGap(place);
      next = place + 1;
    }
  }
  closeGap(sealed.length);
  return problems;
}

function keyOf({ tx, id }: EntryKey): EntryKey {
  return { tx, id };
}

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
