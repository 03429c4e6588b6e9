import { text } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';
import type { Answer } from './client.js';

/** The files of a zip by name, read as JSON; what is damaged throws. */
export async function unzip(zip: Buffer): Promise<Record<string, Answer['data']>> {
  const file = await fromBufferPromise(zip, { lazyEntries: true, strictFileNames: true });
  const files: Record<string, unknown> = {};
  for await (const entry of file.eachEntry())
    files[entry.fileName] = JSON.parse(await text(await file.openReadStreamPromise(entry))) as unknown;
  return files;
}
