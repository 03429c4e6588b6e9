/** Whether so much more takes somebody above what is allowed without knowing them. A currency that is not named: always. */
export function passesThreshold(threshold: number | undefined, before: bigint, amount: bigint): boolean {
  return threshold === undefined || before + amount > BigInt(threshold);
}
