import { EnumField, TextField, TimeField, UuidField } from '../../../../platform/http/fields.js';

const PLATFORMS = ['ios', 'android', 'web'] as const;
export type Platform = (typeof PLATFORMS)[number];

export class RegisterDeviceDto {
  @EnumField(PLATFORMS)
  platform: Platform;

  @TextField({
    max: 4096,
    example: 'dGhpcyBpcyBhIHB1c2ggdG9rZW4',
    description: 'What the push service gave the device; for the web the subscription as JSON',
  })
  token: string;

  @TextField({ optional: true, max: 40, example: '3.2.1' })
  appVersion?: string;

  @TextField({
    optional: true,
    max: 35,
    pattern: /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/,
    example: 'en-US',
    description: 'BCP 47',
  })
  locale?: string;
}

export class DeviceDto {
  @UuidField()
  id: string;

  @EnumField(PLATFORMS)
  platform: Platform;

  @TextField({ max: 40, nullable: true, example: '3.2.1' })
  appVersion: string | null;

  @TextField({ max: 35, nullable: true, example: 'en-US' })
  locale: string | null;

  @TimeField({ description: 'When it was last registered' })
  registeredAt: string;
}

export class DeviceParam {
  @UuidField()
  id: string;
}
