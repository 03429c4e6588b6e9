import { readFile, stat } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { type CountryResponse, Reader } from 'maxmind';
import { dotted } from './address.js';
import { requireSane } from './place-record.js';

const SEPARATOR_BYTES = 16;
/** Networks that are looked at one after the other from the first, and addresses evenly over all, before a file is taken. */
const SAMPLES = 2048;
const ADDRESSES = 2 ** 32;
const DECODED_RECORDS = 5000;

/** What came of looking at the file. */
export type Refreshed = 'unchanged' | 'loaded' | 'failed';

/**
 * An MMDB file, whole in memory and taken anew when the file changes. One that is corrupt or missing is never taken: what was
 * there before stays, and a database that never was there knows no address.
 */
export class AddressDatabase {
  private reader: Reader<CountryResponse> | null = null;
  private seen = '';
  /** Why the file as it is now was not taken. Null: it was. */
  problem: Error | null = null;

  constructor(
    /** Told in logs and metrics. */
    readonly name: string,
    readonly path: string,
    /** Whether a record is of the kind that is looked for: a file without one is another kind of database. */
    private readonly knows: (record: unknown) => boolean,
  ) {}

  get loaded(): boolean {
    return this.reader !== null;
  }

  /** When the one that is used was made. */
  get builtAt(): Date | null {
    return this.reader?.metadata.buildEpoch ?? null;
  }

  /** The record of a canonical address, or null when there is none. Throws when its part of the file is broken. */
  get(address: string): unknown {
    if (this.reader === null) return null;
    // In a tree of IPv4 the first bits of another address lead to somebody else.
    if (address.includes(':') && this.reader.metadata.ipVersion === 4) return null;
    return this.reader.get(address);
  }

  /** Takes the file when it is another than before. */
  async refresh(): Promise<Refreshed> {
    const print = await fingerprint(this.path);
    if (print === this.seen) return 'unchanged';
    try {
      const content = await readFile(this.path);
      // Still being written: the next look sees it whole.
      if ((await fingerprint(this.path)) !== print) return 'unchanged';
      this.reader = opened(content, this.knows);
      this.problem = null;
    } catch (error) {
      this.problem = error as Error;
    }
    this.seen = print;
    return this.problem === null ? 'loaded' : 'failed';
  }
}

async function fingerprint(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return 'missing';
  }
}

/** A reader of a database that is whole as far as a few thousand addresses show. Throws otherwise. */
function opened(content: Buffer, knows: (record: unknown) => boolean): Reader<CountryResponse> {
  const reader = new Reader<CountryResponse>(content, { cache: new LRUCache({ max: DECODED_RECORDS }) });
  const { searchTreeSize } = reader.metadata;
  const separator = content.subarray(searchTreeSize, searchTreeSize + SEPARATOR_BYTES);
  if (separator.length < SEPARATOR_BYTES || separator.some((byte) => byte !== 0))
    throw new Error('the search tree does not end where it should');
  let known = false;
  const look = (address: number): number => {
    const [record, prefix] = reader.getWithPrefixLength(dotted(address));
    requireSane(record);
    known ||= knows(record);
    return 2 ** (32 - prefix);
  };
  for (let address = 0, left = SAMPLES; address < ADDRESSES && left > 0; left -= 1) address += look(address);
  for (let address = 0; address < ADDRESSES; address += ADDRESSES / SAMPLES) look(address);
  if (!known) throw new Error('it is another kind of database: nothing that is asked for is in it');
  return reader;
}
