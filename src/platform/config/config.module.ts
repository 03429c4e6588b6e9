import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AppConfig } from './app-config.js';
import { loadAppConfig, loadRules } from './load-config.js';
import { Rules } from './rules.js';

/** The one place where the environment and `config/*.yml` are read. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(config: AppConfig = loadAppConfig()): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: AppConfig, useValue: config },
        { provide: Rules, useFactory: () => loadRules(config.CONFIG_DIR) },
      ],
      exports: [AppConfig, Rules],
    };
  }
}
