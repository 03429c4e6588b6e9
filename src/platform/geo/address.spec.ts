import { describe, expect, it } from '@jest/globals';
import { canonicalAddress, dotted, isLocal } from './address.js';

describe('an address', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['2001:0DB8:0000::0001', '2001:db8::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::ffff:0:1.2.3.4', '::ffff:0:102:304'],
    ['fe80::1%eth0', null],
    ['01.2.3.4', null],
    ['1.2.3.4, 5.6.7.8', null],
    ['x', null],
    ['', null],
    [undefined, null],
  ])('%s is %s', (text, address) => expect(canonicalAddress(text)).toBe(address));

  it.each([
    ['127.9.9.9', true],
    ['10.0.0.1', true],
    ['172.31.255.255', true],
    ['192.168.1.1', true],
    ['169.254.1.1', true],
    ['::1', true],
    ['fd00::1', true],
    ['fe80::1', true],
    ['172.32.0.1', false],
    ['100.64.0.1', false],
    ['0.0.0.0', false],
    ['8.8.8.8', false],
    ['2001:db8::1', false],
  ])('%s is of this machine or a private network: %s', (address, local) =>
    expect(isLocal(address)).toBe(local),
  );

  it.each([
    [0, '0.0.0.0'],
    [2 ** 32 - 1, '255.255.255.255'],
    [2 ** 31 + 1, '128.0.0.1'],
  ])('%i is written %s', (number, text) => expect(dotted(number)).toBe(text));
});
