import { IsInt, Min } from 'class-validator';

/** `config/people.yml`: profiles and contacts. */
export class PeopleRules {
  /** Days between one change of a handle and the next; the old one is kept for its owner that long. */
  @IsInt()
  @Min(1)
  handleDays: number;

  /** Days after a declined request until the same user may ask again; the one who declined may at once. */
  @IsInt()
  @Min(0)
  askAgainDays: number;
}
