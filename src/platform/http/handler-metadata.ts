import type { ExecutionContext, Type } from '@nestjs/common';

type Handler = ReturnType<ExecutionContext['getHandler']>;

/**
 * What a decorator left on a route, the handler's before the controller's, or undefined. Every request of a route finds the
 * same, so it is looked up once: reflection at each request, in each guard, costs more than the guards themselves.
 */
export class HandlerMetadata<Value> {
  private readonly known = new Map<Handler, Map<Type, Value | undefined>>();

  constructor(private readonly key: string | symbol) {}

  of(context: ExecutionContext): Value | undefined {
    const handler = context.getHandler();
    const controller = context.getClass();
    let found = this.known.get(handler);
    if (found === undefined) this.known.set(handler, (found = new Map<Type, Value | undefined>()));
    if (!found.has(controller))
      found.set(
        controller,
        (Reflect.getMetadata(this.key, handler) ?? Reflect.getMetadata(this.key, controller)) as
          Value | undefined,
      );
    return found.get(controller);
  }
}
