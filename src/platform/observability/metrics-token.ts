import { timingSafeEqual } from 'node:crypto';
import type { AppConfig } from '../config/app-config.js';

/** Whether this Authorization header may read /metrics: anyone without METRICS_TOKEN, else its bearer. */
export function mayScrape(config: AppConfig, authorization: string | undefined): boolean {
  if (config.METRICS_TOKEN === undefined) return true;
  const [given, wanted] = [Buffer.from(authorization ?? ''), Buffer.from(`Bearer ${config.METRICS_TOKEN}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
