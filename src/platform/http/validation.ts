import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { httpErrors } from './http.errors.js';

/** Validates every body, query and parameter against its DTO; unknown properties are refused. */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    stopAtFirstError: false,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => httpErrors.VALIDATION_FAILED({ fields: errors.flatMap((error) => describe(error, '')) }),
  });
}

function describe(error: ValidationError, path: string): { field: string; problems: string[] }[] {
  const field = path === '' ? error.property : `${path}.${error.property}`;
  const own = error.constraints ? [{ field, problems: Object.values(error.constraints) }] : [];
  return [...own, ...(error.children ?? []).flatMap((child) => describe(child, field))];
}
