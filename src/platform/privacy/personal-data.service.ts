import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../database/snapshot.js';
import {
  HoldsPersonalData,
  type KeptTable,
  type PersonalDataHolder,
  type PersonalSection,
} from './personal-data.decorator.js';

/** All that the modules hold about people, as one. */
@Injectable()
export class PersonalDataService {
  constructor(private readonly discovery: DiscoveryService) {}

  /** Tables that are erased and tables that are kept, of every module. */
  claims(): { tables: string[]; kept: KeptTable[] } {
    return {
      tables: this.holders.flatMap(({ tables }) => tables),
      kept: this.holders.flatMap(({ kept }) => kept),
    };
  }

  /** The files of a user's export, in the order of their names. */
  sections(snapshot: Snapshot, userId: string): PersonalSection[] {
    const sections = this.holders.flatMap((holder) => holder.exportOf(snapshot, userId));
    const names = new Set(sections.map(({ file }) => file));
    if (names.size < sections.length) throw new Error('Two sections of the export have one name');
    return sections.toSorted((a, b) => (a.file < b.file ? -1 : 1));
  }

  /** What stands in the way of the user's erasure. */
  async openMatters(manager: EntityManager, userId: string): Promise<string[]> {
    const matters: string[] = [];
    for (const holder of this.holders) {
      const matter = await holder.openMatter?.(manager, userId);
      if (matter != null) matters.push(matter);
    }
    return matters;
  }

  /** Blind indexes of what the person would be known by if they came again. */
  async identitiesOf(manager: EntityManager, userId: string): Promise<Buffer[]> {
    const identities: Buffer[] = [];
    for (const holder of this.holders)
      identities.push(...((await holder.identitiesOf?.(manager, userId)) ?? []));
    return identities;
  }

  async erase(manager: EntityManager, userId: string): Promise<void> {
    const identities = await this.identitiesOf(manager, userId);
    for (const holder of this.holders) await holder.remember?.(manager, userId, identities);
    for (const holder of this.holders) await holder.erase(manager, userId);
  }

  /** In the order of their names, so that two processes lock in one order. */
  private get holders(): PersonalDataHolder[] {
    return this.discovery
      .getProviders({ metadataKey: HoldsPersonalData.KEY })
      .toSorted((a, b) => (String(a.name) < String(b.name) ? -1 : 1))
      .map(({ instance }) => instance as PersonalDataHolder);
  }
}
