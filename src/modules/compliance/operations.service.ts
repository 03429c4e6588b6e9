import { type ExecutionContext, Injectable, type OnModuleInit, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { HandlerMetadata } from '../../platform/http/handler-metadata.js';
import { type Declaration, OPERATES } from '../../platform/security/operates.decorator.js';

const READ: Declaration = { operation: 'read', product: null };

/** What each route was declared to be. Nothing boots while one that may change something was not: nobody would have thought of what it is. */
@Injectable()
export class OperationsService implements OnModuleInit {
  private readonly declared = new HandlerMetadata<Declaration>(OPERATES);

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    const silent = this.discovery.getControllers().flatMap(({ metatype }) => {
      if (!metatype || Reflect.hasMetadata(OPERATES, metatype)) return [];
      const prototype = metatype.prototype as Record<string, object>;
      return this.scanner
        .getAllMethodNames(prototype)
        .filter((name) => {
          const method = Reflect.getMetadata(METHOD_METADATA, prototype[name] ?? {}) as
            RequestMethod | undefined;
          return method !== undefined && method !== RequestMethod.GET;
        })
        .filter((name) => !Reflect.hasMetadata(OPERATES, prototype[name] ?? {}))
        .map((name) => `${metatype.name}.${name}`);
    });
    if (silent.length > 0)
      throw new Error(`These routes do not declare what they are (@Operates): ${silent.join(', ')}`);
  }

  of(context: ExecutionContext): Declaration {
    return this.declared.of(context) ?? READ;
  }
}
