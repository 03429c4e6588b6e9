import { Global, Module } from '@nestjs/common';
import { PlacesMetrics } from './places-metrics.js';
import { PlacesService } from './places.service.js';

/** Where callers are. */
@Global()
@Module({ providers: [PlacesMetrics, PlacesService], exports: [PlacesService] })
export class GeoModule {}
