import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Post, type Type } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { AdminRoutes } from './admin-routes.js';
import { Public } from './public.decorator.js';
import { RequiresPermission } from './requires-permission.decorator.js';

async function boot(controller: Type): Promise<void> {
  @Module({ imports: [DiscoveryModule], controllers: [controller], providers: [AdminRoutes] })
  class Floor {}
  const app = await NestFactory.createApplicationContext(Floor, { logger: false, abortOnError: false });
  await app.close();
}

class Base {
  @Get('inherited')
  inherited(): string {
    return 'inherited';
  }
}

describe('an application', () => {
  it('boots when each route under admin/ asks for a permission', async () => {
    @Controller('admin')
    class Good {
      @Get('users')
      @RequiresPermission('users.read')
      list(): string {
        return 'list';
      }

      helper(): string {
        return 'helper';
      }
    }
    await expect(boot(Good)).resolves.toBeUndefined();
  });

  it('boots with routes elsewhere that ask for none', async () => {
    @Controller(['users', 'administrators'])
    class Elsewhere {
      @Get('admin')
      list(): string {
        return 'list';
      }
    }
    await expect(boot(Elsewhere)).resolves.toBeUndefined();
  });

  it.each([
    ['in the path of the controller', 'admin', 'users', 'POST admin/users'],
    ['in the path of the method', '', 'admin/users', 'POST admin/users'],
    ['written otherwise', '/Admin/', '/users', 'POST Admin/users'],
    ['alone', 'admin', '', 'POST admin'],
  ])('does not boot when one is forgotten: %s', async (_, base, path, named) => {
    @Controller(base)
    class Forgotten {
      @Get('fine')
      @RequiresPermission('users.read')
      fine(): string {
        return 'fine';
      }

      @Post(path)
      open(): string {
        return 'open';
      }
    }
    await expect(boot(Forgotten)).rejects.toThrow(`ask for no permission: ${named}`);
  });

  it('does not boot when the forgotten route is one of several paths, inherited, or open to anyone', async () => {
    @Controller(['users', 'admin/users'])
    class Aliased {
      @Get()
      list(): string {
        return 'list';
      }
    }
    @Controller('admin')
    class Inherits extends Base {}
    @Controller('admin')
    @Public('by mistake')
    class Open {
      @Get('users')
      @RequiresPermission('users.read')
      list(): string {
        return 'list';
      }
    }
    await expect(boot(Aliased)).rejects.toThrow('GET admin/users');
    await expect(boot(Inherits)).rejects.toThrow('GET admin/inherited');
    await expect(boot(Open)).rejects.toThrow('GET admin/users');
  });
});
