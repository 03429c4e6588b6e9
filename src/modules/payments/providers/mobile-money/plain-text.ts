/** Text as gateways of mobile money take it: they refuse apostrophes and other marks, and more than `length` characters. */
export function plainText(text: string, length: number): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9 .,-]+/g, ' ')
    .replace(/ {2,}/g, ' ')
    .slice(0, length)
    .trim();
}

/**
 * A provider's own code as it may be logged: upper case and underscores. What does not look like one is not a code, and may be a
 * sentence with somebody's number in it.
 */
export function readCode(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const code = value.trim().replace(/\.$/, '').toUpperCase().replaceAll(/[ -]/g, '_');
  return /^[A-Z][A-Z_]*[0-9]{0,11}$/.test(code) && code.length <= 64 ? code : null;
}
