import {
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../../platform/http/fields.js';

export class ExportProgressDto {
  @IntField({ min: 0, example: 12 })
  sectionsDone: number;

  @IntField({ min: 0, example: 17, nullable: true, description: 'null until it is begun' })
  sectionsTotal: number | null;

  @IntField({ min: 0, example: 18_233, description: 'Bytes of the zip so far' })
  bytes: number;
}

export class ExportDto {
  @UuidField()
  id: string;

  @EnumField(['queued', 'running', 'ready'])
  status: 'queued' | 'running' | 'ready';

  @ObjectField(() => ExportProgressDto)
  progress: ExportProgressDto;

  @TimeField()
  requestedAt: string;

  @TimeField({ nullable: true })
  readyAt: string | null;

  @TimeField({ nullable: true, description: 'When the export is deleted' })
  expiresAt: string | null;

  @TextField({
    max: 300,
    nullable: true,
    example:
      '/api/v1/users/me/export/01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e/download?token=S0gYJ4Fq2v0C2m5m1cYw6k3c2yqv6x9Jm3h1k8l0abc',
    description:
      'When ready: the zip, for whoever holds the link. It opens in a browser; the five newest links work, for 15 ' +
      'minutes and as long as the session',
  })
  downloadUrl: string | null;
}

export class ExportParam {
  @UuidField()
  id: string;
}

export class DownloadQuery {
  @TextField({
    min: 43,
    max: 43,
    pattern: /^[A-Za-z0-9_-]{43}$/,
    example: 'S0gYJ4Fq2v0C2m5m1cYw6k3c2yqv6x9Jm3h1k8l0abc',
    description: 'From downloadUrl',
  })
  token: string;
}
