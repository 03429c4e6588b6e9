import { Injectable } from '@nestjs/common';
import { guessesOf, isTrivial } from '../domain/common-passwords.js';
import { passwordErrors } from './password.errors.js';

const OURS = ['parley'];

/** Which passwords are refused although they are long enough. */
@Injectable()
export class PasswordPolicyService {
  private list: Promise<ReadonlySet<string>> | undefined;

  /**
   * Throws PASSWORD_BREACHED for what is in the list of common passwords that ships with the product, for what is such a one
   * with a little put before or after it, and for what is made of the account's own names. Nothing leaves the process.
   */
  async require(
    password: string,
    account: { handle: string | null; email: string | null },
    field = 'password',
  ): Promise<void> {
    const { handle, email } = account;
    const own = [...OURS, handle, email, email?.split('@', 1)[0]].map((name) => name?.toLowerCase());
    const common = await (this.list ??= loadList());
    const guesses = guessesOf(password);
    if (isTrivial(password) || guesses.some((guess) => common.has(guess) || own.includes(guess)))
      throw passwordErrors.PASSWORD_BREACHED({ field });
  }
}

/** 49,000 passwords by how often they were found in breaches; read when the first one is chosen. */
async function loadList(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common']);
}
