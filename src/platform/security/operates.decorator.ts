import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const OPERATES = Symbol('operates');

/** Tell the OpenAPI document what an operation is to the rules of play, and what it belongs to. */
export const OPERATES_EXTENSION = 'x-operation-class';
export const PRODUCT_EXTENSION = 'x-product';

/**
 * What an operation is to the rules of play. `stake` risks or buys, `deposit` pays in, `withdraw` takes one's own money out, `social`
 * speaks to others, `read` changes nothing, `account` is about oneself: ways in, limits, leaving, complaints. `staff` is the operator's work,
 * `machine` comes from no person: a provider's webhook.
 */
export const OPERATION_CLASSES = [
  'stake',
  'deposit',
  'withdraw',
  'social',
  'read',
  'account',
  'staff',
  'machine',
] as const;
export type OperationClass = (typeof OPERATION_CLASSES)[number];

/** What a jurisdiction may allow or not. */
export const PRODUCTS = ['pools', 'matches', 'codes', 'social'] as const;
export type Product = (typeof PRODUCTS)[number];

export interface Declaration {
  readonly operation: OperationClass;
  /** What it belongs to; null: whatever the place allows. */
  readonly product: Product | null;
}

/**
 * Declares what a route is. Each route that is no GET has one, on itself or on its controller, or nothing boots; a GET without one is a
 * `read`.
 */
export const Operates = (
  operation: OperationClass,
  product: Product | null = null,
): MethodDecorator & ClassDecorator =>
  applyDecorators(
    SetMetadata<symbol, Declaration>(OPERATES, { operation, product }),
    ApiExtension(OPERATES_EXTENSION, operation),
    ApiExtension(PRODUCT_EXTENSION, product),
  );
