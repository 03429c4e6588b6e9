import { describe, expect, it } from '@jest/globals';
import { deviceName } from './device-name.js';

describe('the name of a device', () => {
  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0', 'Firefox on Linux'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0', 'Firefox on Linux'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1',
      'Safari on iPhone',
    ],
    ['okhttp/4.9', 'okhttp'],
    ['Parley/3.1 (com.example.parley; build:5) Alamofire/5.4', 'Parley'],
    ['<script>alert(1)</script>', null],
    [' ', null],
    [null, null],
  ])('of %j is %j', (userAgent, name) => {
    expect(deviceName(userAgent)).toBe(name);
  });

  it('is found quickly in whatever is sent', () => {
    const began = performance.now();
    for (const part of ['(', 'Mozilla/5.0 ', 'a/', '; ', 'Android ', '\u00ff'])
      deviceName(part.repeat(300).slice(0, 300));
    expect(performance.now() - began).toBeLessThan(500);
  });
});
