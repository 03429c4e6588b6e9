import { describe, expect, it } from '@jest/globals';
import { allowedRedirect } from './redirect-url.js';

const ALLOWED = ['https://app.example.com/signed-in', 'https://admin.example.com', 'http://localhost:5173/'];

describe('where a browser may be sent back to', () => {
  it.each([
    ['https://app.example.com/signed-in', 'https://app.example.com/signed-in'],
    ['https://app.example.com/signed-in/', 'https://app.example.com/signed-in/'],
    ['https://app.example.com/signed-in/now?a=b%2Fc&to=https://x.example', null],
    ['https://APP.example.com:443/signed-in', 'https://app.example.com/signed-in'],
    ['https://app.example.com/x/../signed-in', 'https://app.example.com/signed-in'],
    ['https://admin.example.com', 'https://admin.example.com/'],
    ['https://admin.example.com/any/path', null],
    ['http://localhost:5173/?q=1', null],
  ])('is %s', (wanted, href) => {
    expect(allowedRedirect(wanted, ALLOWED)).toBe(href ?? wanted);
  });

  it.each([
    '',
    '/',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'evil.example',
    'https:evil.example',
    'https:/evil.example',
    'https://evil.example',
    'https://evil.example/signed-in',
    'https://evil.example/https://app.example.com/signed-in',
    'https://evil.example?https://app.example.com/signed-in',
    'https://evil.example#@app.example.com/signed-in',
    'https://app.example.com.evil.example/signed-in',
    'https://app.example.com.:443/signed-in',
    'https://app-example.com/signed-in',
    'https://xapp.example.com/signed-in',
    'https://app.example.com@evil.example/signed-in',
    'https://app.example.com%40evil.example/signed-in',
    'https://user@app.example.com/signed-in',
    'https://:secret@app.example.com/signed-in',
    'https://evil.example\\@app.example.com/signed-in',
    'https://evil.example\\.app.example.com/signed-in',
    'https://app.example.com\\evil.example/signed-in',
    'https://app.example.com\t.evil.example/signed-in',
    'https://app.exam\nple.com/signed-in',
    ' https://app.example.com/signed-in',
    'https://app.example.com/signed-in\r\nSet-Cookie:a=b',
    'https://app.example.com/signed-in?a=\r\nb',
    'https://app.example.com/signed-in#ticket=mine',
    'https://app.example.com/signed-in#',
    'https://app.example.com:444/signed-in',
    'http://app.example.com/signed-in',
    'ftp://app.example.com/signed-in',
    'javascript:alert(1)//https://app.example.com/signed-in',
    'data:text/html,https://app.example.com/signed-in',
    'https://app.example.com',
    'https://app.example.com/',
    'https://app.example.com/signed-input',
    'https://app.example.com/signed-in/../evil',
    'https://app.example.com/signed-in/%2e%2e/evil',
    'https://app.example.com/signed-in/.%2E/evil',
    'https://app.example.com/signed-in/..%2fevil',
    'https://app.example.com/signed-in/%5c%5cevil.example',
    'https://app.example.com/signed-in/%252e%252e/evil',
    'https://app.example.com/signed-in%00',
    'https://app。example。com.evil.example/signed-in',
    'http://localhost:5174/',
    'http://localhost/',
  ])('is never %j', (wanted) => {
    expect(allowedRedirect(wanted, ALLOWED)).toBeNull();
  });

  it('is nowhere when nothing is allowed', () => {
    expect(allowedRedirect('https://app.example.com/signed-in', [])).toBeNull();
  });
});
