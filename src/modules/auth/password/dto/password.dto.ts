import { TextField } from '../../../../platform/http/fields.js';
import { EMAIL } from '../../dto/auth.dto.js';
import { LinkTokenField } from '../../mail/dto/email.dto.js';

export class ForgotPasswordDto {
  @TextField({ max: 254, pattern: EMAIL, format: 'email', example: 'ada@example.com' })
  email: string;
}

export class ResetPasswordDto {
  @LinkTokenField()
  token: string;

  @TextField({ min: 10, max: 128, example: 'correct horse battery' })
  password: string;
}

export class ChangePasswordDto {
  @TextField({ max: 128, example: 'correct horse battery' })
  currentPassword: string;

  @TextField({ min: 10, max: 128, example: 'staple battery horse' })
  newPassword: string;
}
