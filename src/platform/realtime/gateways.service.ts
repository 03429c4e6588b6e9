import { Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { GATEWAY_METADATA, MESSAGE_MAPPING_METADATA } from '@nestjs/websockets/constants.js';
import { socketContracts } from './socket-contract.js';

/**
 * Nothing boots while a gateway serves what no document tells of: a namespace that was not declared, a handler that answers beside
 * SocketAsks, with neither limits nor the rules of play; nor while something is declared that no gateway serves.
 */
@Injectable()
export class GatewaysService implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    const gateways = this.discovery
      .getProviders()
      .flatMap(({ metatype }) => (isGateway(metatype) ? [metatype as Type] : []));
    if (gateways.length === 0) return; // the worker
    const contracts = socketContracts();
    const problems = [
      ...gateways
        .filter((one) => !contracts.some(({ gateway }) => gateway === one))
        .map(({ name }) => `${name} does not declare its namespace (@SocketNamespace)`),
      ...gateways
        .flatMap((one) => this.ownHandlers(one))
        .map((name) => `${name} does not go through SocketAsks`),
      ...contracts
        .filter(({ gateway }) => gateway !== null && !gateways.some((one) => one === gateway))
        .map(({ name }) => `${name} is declared, and no gateway of it runs`),
    ];
    if (problems.length > 0) throw new Error(`Sockets: ${problems.join('; ')}`);
  }

  private ownHandlers(gateway: Type): string[] {
    const prototype = gateway.prototype as Record<string, object>;
    return this.scanner
      .getAllMethodNames(prototype)
      .filter((name) => Reflect.hasMetadata(MESSAGE_MAPPING_METADATA, prototype[name] ?? {}))
      .map((name) => `${gateway.name}.${name}`);
  }
}

function isGateway(metatype: unknown): boolean {
  return typeof metatype === 'function' && Reflect.hasMetadata(GATEWAY_METADATA, metatype);
}
