import { ArrayMinSize, ArrayUnique, IsIn, IsInt, Max, Min, ValidateNested } from 'class-validator';
import { Type } from 'class-transformer';

const PARTS = ['front', 'back', 'selfie'] as const;
type Part = (typeof PARTS)[number];

/** What has to be sent of each kind of document. */
export class KycParts {
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(PARTS, { each: true })
  passport: Part[];

  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(PARTS, { each: true })
  id_card: Part[];

  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(PARTS, { each: true })
  driving_licence: Part[];
}

/** `kyc` of `config/compliance.yml`: knowing who somebody is. */
export class KycRules {
  @ValidateNested()
  @Type(() => KycParts)
  parts: KycParts;

  /** Of one file. */
  @IsInt()
  @Min(1024)
  @Max(50_000_000)
  maxBytes: number;

  /** Months after which somebody has to be verified again; sooner when the document ends sooner. */
  @IsInt()
  @Min(1)
  @Max(240)
  validMonths: number;

  /** Cases that one user may begin within the days. */
  @IsInt()
  @Min(1)
  attempts: number;

  @IsInt()
  @Min(1)
  attemptDays: number;

  /** How often another document may be chosen in one case. */
  @IsInt()
  @Min(0)
  changes: number;
}
