import { applyDecorators, UseGuards } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { CaptchaGuard } from './captcha.guard.js';

const DESCRIPTION = {
  always: 'The token of a solved CAPTCHA, where the operator asks for one.',
  'after-failures':
    'The token of a solved CAPTCHA, once wrong attempts were made and the operator asks for one: the answer is then CAPTCHA_REQUIRED.',
} as const;

/**
 * The route asks for a solved CAPTCHA: of everyone, or (`after-failures`) where LockoutService has counted wrong attempts,
 * which asks by itself. Its operation declares `captchaErrors`.
 */
export const AsksCaptcha = (when: keyof typeof DESCRIPTION): MethodDecorator =>
  applyDecorators(
    ApiHeader({
      name: 'X-Captcha-Token',
      required: false,
      description: DESCRIPTION[when],
      schema: { type: 'string', minLength: 1, maxLength: 8000 },
      example: '10000000-aaaa-bbbb-cccc-000000000001',
    }),
    ...(when === 'always' ? [UseGuards(CaptchaGuard)] : []),
  );
