import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { Permission } from './permissions.js';

export const PERMISSION = Symbol('permission');

/** In the OpenAPI document: the permission that an operation asks for. Without it any signed-in user may call it. */
export const PERMISSIONS_EXTENSION = 'x-permissions';

/** Only roles with this permission may call the route. Each route under `admin/` says one, or nothing boots. */
export const RequiresPermission = (permission: Permission): MethodDecorator =>
  applyDecorators(SetMetadata(PERMISSION, permission), ApiExtension(PERMISSIONS_EXTENSION, [permission]));
