import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../platform/config/app-config.js';

/** Where files are, by ids of ours. What is put there is encrypted already. */
export abstract class DocumentStore {
  /** Stands there whole or not at all, and once this returns it outlives the machine's power. */
  abstract put(id: string, bytes: Buffer): Promise<void>;

  /** Throws when it is not there. */
  abstract get(id: string): Promise<Buffer>;

  /** Removing what is not there is no failure. */
  abstract remove(id: string): Promise<void>;

  /** Ids of what is there, some at a time. */
  abstract names(): AsyncIterable<readonly string[]>;

  /** When it was put there; null: it is not. */
  abstract writtenAt(id: string): Promise<Date | null>;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SHARD = 2;

/** Files of a folder, in sub-folders by the end of their ids, which is random. Nobody else on the machine may read them. */
@Injectable()
export class LocalDocumentStore extends DocumentStore {
  constructor(private readonly config: AppConfig) {
    super();
  }

  override async put(id: string, bytes: Buffer): Promise<void> {
    const path = this.pathOf(id);
    const folder = join(path, '..');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const part = `${path}.part`;
    const file = await open(part, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
    await syncFolder(folder);
  }

  override async get(id: string): Promise<Buffer> {
    return await readFile(this.pathOf(id));
  }

  override async remove(id: string): Promise<void> {
    await rm(this.pathOf(id), { force: true });
    await rm(`${this.pathOf(id)}.part`, { force: true });
  }

  override async *names(): AsyncGenerator<readonly string[]> {
    for (const shard of await listing(this.config.DOCUMENTS_DIR)) {
      const files = await listing(join(this.config.DOCUMENTS_DIR, shard));
      const ids = files.map((name) => name.replace(/\.part$/, '')).filter((name) => UUID.test(name));
      if (ids.length > 0) yield [...new Set(ids)];
    }
  }

  override async writtenAt(id: string): Promise<Date | null> {
    const path = this.pathOf(id);
    for (const name of [path, `${path}.part`]) {
      const found = await stat(name).catch(() => null);
      if (found) return found.mtime;
    }
    return null;
  }

  private pathOf(id: string): string {
    if (!UUID.test(id)) throw new Error('a document is called by an id of ours');
    return join(this.config.DOCUMENTS_DIR, id.slice(-SHARD), id);
  }
}

async function listing(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))) return [];
    throw error;
  }
}

/** The name in the folder has to outlive the power too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
