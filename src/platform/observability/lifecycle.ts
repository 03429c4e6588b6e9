import { Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';

/** Whether this process is being stopped: readiness fails and connections are closed after their answer. */
@Injectable()
export class Lifecycle {
  private readonly answering = new Set<ServerResponse>();
  private readonly endings: (() => void)[] = [];
  private ending = false;

  get stopping(): boolean {
    return this.ending;
  }

  /** Call at the start of each request, and `end` once its answer is closed. */
  begin(response: ServerResponse): void {
    if (this.ending) response.setHeader('Connection', 'close');
    this.answering.add(response);
  }

  end(response: ServerResponse): void {
    this.answering.delete(response);
  }

  /** Called when the process begins to stop: for connections that would never fall idle by themselves. */
  onStop(end: () => void): void {
    this.endings.push(end);
  }

  /** From now on answers tell their client to take another connection, those to requests in hand as well. */
  stop(): void {
    this.ending = true;
    for (const response of this.answering)
      if (!response.headersSent) response.setHeader('Connection', 'close');
    for (const end of this.endings) end();
  }
}
