import { describe, expect, it } from '@jest/globals';
import { networksOf } from './networks.js';

describe('the networks of an address', () => {
  it.each([
    ['203.0.113.77', '203.0.113.77/32', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.77/32', '203.0.113.0/24'],
    ['0000:0000::FFFF:203.0.113.77', '203.0.113.77/32', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8:0:0::/64', '2001:db8:0::/48'],
    ['::1', '0:0:0:0::/64', '0:0:0::/48'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64', 'fe80:0:0::/48'],
  ])('of %s are %s and %s', (address, subscriber, neighbourhood) => {
    expect(networksOf(address)).toEqual({ address: subscriber, neighbourhood });
  });

  it('are the same for all addresses that one subscriber of IPv6 has', () => {
    expect(networksOf('2001:db8:1:2:aaaa::1')).toEqual(networksOf('2001:db8:1:2:bbbb:cccc:dddd:eeee'));
  });

  it.each(['', 'unknown', '1:2:3', '1::2::3', '1:2:3:4:5:6:7:8:9', 'xyz::1', '12345::'])(
    'are one of its own for %j, which is no address',
    (address) => {
      expect(networksOf(address)).toEqual({ address: 'unknown', neighbourhood: 'unknown' });
    },
  );
});
