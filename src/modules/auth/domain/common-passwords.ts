/** Characters before and after a common password that do not make it another one. */
const MAX_ADDED = 6;
const MIN_CORE = 3;

/**
 * What attackers try of a password: as it is, without the digits and signs put before or after it, and once of what is
 * repeated. A long run of digits is not stripped, since it may be all the strength there is.
 */
export function guessesOf(password: string): string[] {
  const whole = password.normalize('NFKC').toLowerCase();
  const core = whole.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  const stripped = core.length >= MIN_CORE && whole.length - core.length <= MAX_ADDED;
  const guesses = [whole, ...endings(whole), ...(stripped ? [core] : [])];
  return [...new Set(guesses.flatMap((guess) => [guess, unitOf(guess)]))];
}

/** Without 1 to 6 digits or signs at the end: `qwerty12345!` is made of `qwerty12345`. */
function endings(whole: string): string[] {
  const tail = /[^\p{L}]*$/u.exec(whole)?.[0].length ?? 0;
  const most = Math.min(tail, MAX_ADDED, whole.length - MIN_CORE);
  return Array.from({ length: Math.max(0, most) }, (_, cut) => whole.slice(0, whole.length - cut - 1));
}

/** The shortest text that, repeated, is this one. */
function unitOf(text: string): string {
  const at = (text + text).indexOf(text, 1);
  return text.slice(0, at);
}

/** A few letters repeated, or a run such as `abcdefghij` or `0987654321`. */
export function isTrivial(password: string): boolean {
  const text = password.toLowerCase();
  if (new Set(text).size <= 3) return true;
  const steps = Array.from(
    { length: text.length - 1 },
    (_, index) => text.charCodeAt(index + 1) - text.charCodeAt(index),
  );
  // From 9 to 0 and back is a step as well.
  return [1, -1].some((step) => steps.every((one) => one === step || one === -9 * step));
}
