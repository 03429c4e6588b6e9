import Bowser from 'bowser';

const PRODUCT = /^[A-Za-z][A-Za-z0-9._ -]{0,39}/;

/**
 * What a user agent calls itself, without its version, so that it is the same after an update: 'Firefox on Linux'. Of a
 * native client the name of its product. Null when it says nothing that can be shown.
 */
export function deviceName(userAgent: string | null): string | null {
  if (userAgent === null || userAgent.trim() === '') return null;
  const { browser, os, platform } = Bowser.parse(userAgent);
  const client = browser.name || PRODUCT.exec(userAgent)?.[0].trim();
  const system = platform.model ?? os.name;
  if (client === undefined) return system ?? null;
  return (system === undefined ? client : `${client} on ${system}`).slice(0, 100);
}
