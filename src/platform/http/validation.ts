import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import { getMetadataStorage, type ValidationError } from 'class-validator';
import { LRUCache } from 'lru-cache';
import { httpErrors } from './http.errors.js';

const KEPT_A_CLASS = 500;
const LONGEST_KEPT = 300;

/** As the query parser and the router make them, of strings and lists of strings, which JSON tells apart. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/**
 * Names that every object inherits (`__proto__`, `constructor`, `hasOwnProperty`) are refused like every unknown property.
 * Nest would drop some of them silently, and class-validator takes the others for known ones.
 */
class StrictValidationPipe extends ValidationPipe {
  /**
   * Queries and parameters that passed, as their DTOs; frozen, for several requests share them. Clients send the same few
   * again and again, and to validate one costs more than all guards of its request.
   */
  private readonly passed = new WeakMap<object, LRUCache<string, object>>();

  /** A body that is null would pass as an object without properties. */
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { type, metatype } = metadata;
    if (type === 'body' && metatype !== undefined && value === null)
      throw httpErrors.VALIDATION_FAILED({ problem: 'the body must be a JSON object' });
    if ((type !== 'query' && type !== 'param') || metatype === undefined || !isObject(value))
      return (await super.transform(value, metadata)) as unknown;
    const text = JSON.stringify(value);
    const known = this.passed.get(metatype)?.get(text);
    if (known !== undefined) return known;
    const result: unknown = await super.transform(value, metadata);
    if (text.length <= LONGEST_KEPT && typeof result === 'object' && result !== null)
      this.keep(metatype, text, result);
    return result;
  }

  private keep(metatype: object, text: string, result: object): void {
    let kept = this.passed.get(metatype);
    if (kept === undefined) this.passed.set(metatype, (kept = new LRUCache({ max: KEPT_A_CLASS })));
    for (const part of Object.values(result)) if (Array.isArray(part)) Object.freeze(part);
    kept.set(text, Object.freeze(result));
  }

  protected override stripProtoKeys(value: unknown): void {
    if (value === null || typeof value !== 'object') return;
    for (const [field, inner] of Object.entries(value)) {
      if (field in Object.prototype)
        throw httpErrors.VALIDATION_FAILED({
          fields: [{ field, problems: [`property ${field} should not exist`] }],
        });
      this.stripProtoKeys(inner);
    }
  }
}

/**
 * class-validator goes through the rules of all classes there are each time it validates an object. They are written by
 * decorators and do not change once a class is loaded, so what it finds for a class is kept.
 */
function keepRulesOfClasses(): void {
  const storage = getMetadataStorage();
  const find = storage.getTargetValidationMetadatas.bind(storage);
  const known = new Map<unknown, ReturnType<typeof find>>();
  storage.getTargetValidationMetadatas = (target, schema, always, strictGroups, groups) => {
    if (schema || groups?.length) return find(target, schema, always, strictGroups, groups);
    let found = known.get(target);
    if (found === undefined) known.set(target, (found = find(target, schema, always, strictGroups, groups)));
    return found;
  };
}

/** Validates every body, query and parameter against its DTO; unknown properties are refused. */
export function validationPipe(): ValidationPipe {
  keepRulesOfClasses();
  return new StrictValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    stopAtFirstError: false,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) =>
      httpErrors.VALIDATION_FAILED({ fields: errors.flatMap((error) => describe(error, '')) }),
  });
}

function describe(error: ValidationError, path: string): { field: string; problems: string[] }[] {
  const field = path === '' ? error.property : `${path}.${error.property}`;
  const own = error.constraints ? [{ field, problems: Object.values(error.constraints) }] : [];
  return [...own, ...(error.children ?? []).flatMap((child) => describe(child, field))];
}
