import { Type } from 'class-transformer';
import { IsIn, ValidateNested } from 'class-validator';
import { KycRules } from './kyc-rules.js';
import { LimitRules } from './limit-rules.js';
import { MarkerRules } from './marker-rules.js';

/** `config/compliance.yml`: what keeps people safe, wherever they are. */
export class ComplianceRules {
  /** What is done with who is nowhere, or hides where they are. */
  @IsIn(['refuse', 'usual'])
  unknownPlace: 'refuse' | 'usual';

  @ValidateNested()
  @Type(() => KycRules)
  kyc: KycRules;

  @ValidateNested()
  @Type(() => LimitRules)
  limits: LimitRules;

  @ValidateNested()
  @Type(() => MarkerRules)
  markers: MarkerRules;
}
