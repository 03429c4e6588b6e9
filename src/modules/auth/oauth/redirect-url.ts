/** Two readers may take these for different addresses: backslashes, control characters, separators in disguise. */
const AMBIGUOUS = /[\\\s]|\p{Cc}|%(?:2f|5c|00|0a|0d|25)/iu;

/**
 * The address that a browser may be sent back to, as it is parsed, or null. It must have the very origin of one of the
 * allowed addresses, and its path or one below it; a query is free. What is compared is what is used: the parsed address.
 */
export function allowedRedirect(wanted: string, allowed: readonly string[]): string | null {
  if (AMBIGUOUS.test(wanted.split('?', 1)[0] ?? '') || /\p{Cc}/u.test(wanted)) return null;
  const url = URL.parse(wanted);
  if (url === null || url.username !== '' || url.password !== '' || wanted.includes('#')) return null;
  return allowed.some((one) => isWithin(url, new URL(one))) ? url.href : null;
}

function isWithin(url: URL, allowed: URL): boolean {
  const below = allowed.pathname.endsWith('/') ? allowed.pathname : `${allowed.pathname}/`;
  return (
    url.protocol === allowed.protocol &&
    url.host === allowed.host &&
    (url.pathname === allowed.pathname || url.pathname.startsWith(below))
  );
}
