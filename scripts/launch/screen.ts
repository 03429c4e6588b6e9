const CLEAR_LINE = '\r\x1b[2K';

/** What the person who waits sees: lines that stay, and on a terminal one last line that changes. */
export class Screen {
  private readonly live = process.stdout.isTTY;
  private status = '';
  /** Whether a line was begun that its step has not ended; without a terminal only. */
  private begun = false;

  /** Prints a line that stays. */
  line(text = ''): void {
    this.clear();
    process.stdout.write(`${text}\n`);
    this.draw();
  }

  /** Prints a line for those who look for what went wrong. */
  error(text: string): void {
    this.clear();
    process.stderr.write(`${text}\n`);
    this.draw();
  }

  /** Replaces the last line of a terminal; an empty text takes it away. Elsewhere it shows nothing. */
  update(text: string): void {
    if (!this.live) return;
    this.clear();
    this.status = text;
    this.draw();
  }

  /** Does something that takes a moment: `Starting Postgres … 0.7 s`. */
  async step<T>(title: string, work: () => Promise<T>): Promise<T> {
    const since = performance.now();
    this.update(`${title} …`);
    if (!this.live) {
      process.stdout.write(`${title} … `);
      this.begun = true;
    }
    try {
      const result = await work();
      const took = seconds(performance.now() - since);
      this.update('');
      if (this.begun) process.stdout.write(`${took}\n`);
      else process.stdout.write(`${title} … ${took}\n`);
      this.begun = false;
      return result;
    } catch (error) {
      this.update('');
      this.clear();
      throw error;
    }
  }

  private clear(): void {
    if (this.begun) process.stdout.write('\n');
    this.begun = false;
    if (this.status !== '') process.stdout.write(CLEAR_LINE);
  }

  private draw(): void {
    if (this.status !== '') process.stdout.write(this.status.slice(0, (process.stdout.columns || 80) - 1));
  }
}

/** `0.7 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
