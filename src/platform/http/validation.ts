import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import { getMetadataStorage, type ValidationError } from 'class-validator';
import { httpErrors } from './http.errors.js';

/**
 * Names that every object inherits (`__proto__`, `constructor`, `hasOwnProperty`) are refused like every unknown property.
 * Nest would drop some of them silently, and class-validator takes the others for known ones.
 */
class StrictValidationPipe extends ValidationPipe {
  /** A body that is null would pass as an object without properties. */
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' && metadata.metatype !== undefined && value === null)
      throw httpErrors.VALIDATION_FAILED({ problem: 'the body must be a JSON object' });
    return (await super.transform(value, metadata)) as unknown;
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
