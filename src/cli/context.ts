import 'reflect-metadata';
import { type INestApplicationContext, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { floors } from '../app.module.js';
import type { AppConfig } from '../platform/config/app-config.js';
import { loadAppConfig } from '../platform/config/load-config.js';
import { startOrExit } from '../platform/observability/run.js';

@Module({})
class CommandModule {
  static forRoot(config: AppConfig): DynamicModule {
    return { module: CommandModule, imports: floors(config, 'parley-cli') };
  }
}

/** Runs one command with the whole system at hand but nothing served and no queue worked on. */
export async function runCommand(command: (app: INestApplicationContext) => Promise<void>): Promise<void> {
  await startOrExit(async () => {
    const config = loadAppConfig();
    const app = await NestFactory.createApplicationContext(CommandModule.forRoot(config), {
      logger: ['error', 'warn'],
      abortOnError: false,
    });
    await app.init();
    try {
      await command(app);
    } finally {
      await app.close();
    }
  });
}
