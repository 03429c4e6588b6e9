import { describe, expect, it } from '@jest/globals';
import { guessesOf, isTrivial } from './common-passwords.js';

describe('what is guessed of a password', () => {
  it.each([
    ['itself, in any case', 'Qwertyuiop', 'qwertyuiop'],
    ['what full-width letters stand for', 'ｐａｓｓｗｏｒｄｐａｓｓ', 'passwordpass'],
    ['it without what follows', 'Password2024!', 'password'],
    ['it without what goes before', '#1 Elizabeth', 'elizabeth'],
    ['it without both', '12elizabeth34', 'elizabeth'],
    ['it without a part of what follows', 'qwerty12345!', 'qwerty12345'],
    ['what is repeated', 'monkeymonkey', 'monkey'],
    ['what is repeated, with a year', 'monkeymonkey99', 'monkey'],
  ])('includes %s', (_, password, guess) => {
    expect(guessesOf(password)).toContain(guess);
  });

  it.each([
    ['much was added', 'love83756102983', 'love'],
    ['what is left would be less than a word', 'a829374615!', 'a'],
    ['it stands between words', 'correct horse battery', 'horse'],
    ['only signs are left', '!!!!!!!!!!!!', ''],
  ])('leaves out the core where %s', (_, password, guess) => {
    expect(guessesOf(password)).not.toContain(guess);
  });
});

describe('a trivial password', () => {
  it.each(['aaaaaaaaaa', 'ababababab', 'aabbccaabb', 'abcdefghij', 'ZYXWVUTSRQ', '1234567890', '0987654321'])(
    'is %s',
    (password) => {
      expect(isTrivial(password)).toBe(true);
    },
  );

  it.each(['correct horse battery', '1357924680', 'abcdefghik', 'Tr0ub4dor&3'])('is not %s', (password) => {
    expect(isTrivial(password)).toBe(false);
  });
});
