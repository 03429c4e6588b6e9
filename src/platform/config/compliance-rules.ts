import { IsIn } from 'class-validator';

/** `config/compliance.yml`: what keeps people safe, wherever they are. */
export class ComplianceRules {
  /** What is done with who is nowhere, or hides where they are. */
  @IsIn(['refuse', 'usual'])
  unknownPlace: 'refuse' | 'usual';
}
