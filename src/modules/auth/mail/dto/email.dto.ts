import { TextField } from '../../../../platform/http/fields.js';

const TOKEN = 'AZMsB48qez6dUS9vCkxdXnVxk3Jm0vJZk2c7yFhB1o3c8mT5bqv4Xw9eRrYt2LpA';

/** The token of a mailed link: what stands behind `#token=`. */
export const LinkTokenField = (): PropertyDecorator => TextField({ max: 100, example: TOKEN });

export class VerifyEmailDto {
  @LinkTokenField()
  token: string;
}
