import { Injectable, type OnModuleInit, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { PUBLIC } from './public.decorator.js';
import { PERMISSION } from './requires-permission.decorator.js';

type Handler = (...args: never[]) => unknown;

/** Refuses to boot when a route under `admin/` asks for no permission: one that was forgotten would be open to everyone. */
@Injectable()
export class AdminRoutes implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    const controllers = this.discovery.getControllers().map(({ metatype }) => metatype as Type);
    const open = controllers.flatMap((controller) => this.openRoutesOf(controller));
    if (open.length > 0)
      throw new Error(`These routes under admin/ ask for no permission: ${open.join(', ')}`);
  }

  private openRoutesOf(controller: Type): string[] {
    const prototype = controller.prototype as Record<string, Handler>;
    return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      const method = handler && (Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined);
      if (handler === undefined || method === undefined) return [];
      const isPublic = Reflect.hasMetadata(PUBLIC, handler) || Reflect.hasMetadata(PUBLIC, controller);
      if (!isPublic && Reflect.hasMetadata(PERMISSION, handler)) return [];
      return pathsOf(controller, handler)
        .filter((path) => /^admin(\/|$)/i.test(path))
        .map((path) => `${RequestMethod[method]} ${path}`);
    });
  }
}

function pathsOf(controller: Type, handler: Handler): string[] {
  return pathsOn(controller).flatMap((base) =>
    pathsOn(handler).map((path) => `${base}/${path}`.split('/').filter(Boolean).join('/')),
  );
}

function pathsOn(target: object): string[] {
  const paths = Reflect.getMetadata(PATH_METADATA, target) as string | string[] | undefined;
  return [paths ?? ''].flat();
}
