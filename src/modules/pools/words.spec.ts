import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

/**
 * The words of the pools (rules, "Words"): where credits are spoken of there is no currency sign, no "bet real money" and
 * no "gambling". Money is spoken of where prizes are, and nowhere else.
 */
const ROOT = join(import.meta.dirname, '..', '..', '..');

interface Said {
  where: string;
  text: string;
}

const SIGN = /[$€£¥₹₦₿]/;
/** In a text with shell or SQL in it a lone dollar is a variable; with an amount it is money. */
const SIGNED_AMOUNT = /[€£¥₹₦₿]|\$\s?\d{2,}|\d\s?\$(?![{\w])/;
const WORDS = [/real[\s-]+money/i, /gambl/i];
const MONEY =
  /\bmoney\b|\bcash\b|\bcurrenc|\bdollars?\b|\bcents?\b|\bminor units?\b|\b(USD|EUR|GBP|CAD|XAF|UGX)\b/i;

function sourcesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
}

/** Every string of a source file with the class it stands in: what may be shown or told to somebody. */
function stringsOf(path: string): Said[] {
  const said: Said[] = [];
  const visit = (node: ts.Node, within: string): void => {
    const inside = ts.isClassDeclaration(node) ? (node.name?.text ?? within) : within;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      said.push({ where: inside === '' ? path : `${path} ${inside}`, text: node.text });
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(ts.createSourceFile(path, readFileSync(join(ROOT, path), 'utf8'), ts.ScriptTarget.Latest, true), '');
  return said;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every string of an operation and of all that it refers to. */
function stringsOfOperation(document: Json, operation: Json, where: string): Said[] {
  const said: Said[] = [];
  const seen = new Set<string>();
  const visit = (value: Json, at: string): void => {
    if (typeof value === 'string') said.push({ where: at, text: value });
    else if (Array.isArray(value)) value.forEach((inner) => visit(inner, at));
    else if (value !== null && typeof value === 'object')
      for (const [key, inner] of Object.entries(value)) {
        if (key === 'pattern') continue; // a regular expression, whose $ is its end
        if (key !== '$ref' || typeof inner !== 'string') visit(inner, at);
        else if (!seen.has(inner)) {
          seen.add(inner);
          const target = inner
            .slice(2)
            .split('/')
            .reduce<Json>(
              (found, step) => (found as { [key: string]: Json })[step.replaceAll('~1', '/')] ?? null,
              document,
            );
          visit(target, `${where} ${inner.split('/').at(-1)}`);
        }
      }
  };
  visit(operation, where);
  return said;
}

function operationsTagged(tags: readonly string[]): Said[] {
  const document = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')) as {
    paths: Record<string, Record<string, { tags?: string[] }>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags?.some((tag) => tags.includes(tag)))
      .flatMap(([method, operation]) =>
        stringsOfOperation(document as unknown as Json, operation as unknown as Json, `${method} ${path}`),
      ),
  );
}

/** The paragraphs of a text that speak of credits, bets, pools or tables. */
function paragraphsOf(path: string): Said[] {
  if (!existsSync(join(ROOT, path))) return [];
  return readFileSync(join(ROOT, path), 'utf8')
    .replaceAll(/```[\s\S]*?```/g, '')
    .split(/\n\s*\n/)
    .filter((text) => /credit|\bbets?\b|\bpools?\b|leaderboard/i.test(text))
    .map((text) => ({ where: path, text }));
}

const aboutPrizes = ({ where }: Said): boolean => /prize/i.test(where);
const offences = (said: readonly Said[], pattern: RegExp): string[] =>
  said
    .filter(({ text }) => pattern.test(text))
    .map(({ where, text }) => `${where}: ${text.trim().slice(0, 120)}`);

// A repository's strings are SQL, which nobody but Postgres is told.
const modules = ['pools', 'bets', 'settlement']
  .flatMap((name) => sourcesIn(`src/modules/${name}`))
  .filter((path) => !path.endsWith('.repository.ts'))
  .flatMap(stringsOf);
const operations = operationsTagged(['weeks', 'me', 'bets']);
const told = [
  ...sourcesIn('scripts/demo'),
  ...sourcesIn('scripts/start'),
  'scripts/demo.ts',
  'scripts/start.ts',
].flatMap(stringsOf);
const read = ['README.md', 'docs/draw.md'].flatMap(paragraphsOf);

describe('the words of the pools', () => {
  it('are found', () => {
    expect(modules.length).toBeGreaterThan(300);
    expect(modules.map(({ text }) => text)).toContain('You do not have that many credits.');
    expect(modules.map(({ text }) => text)).toContain('Credits that can be staked');
    expect(operations.length).toBeGreaterThan(300);
    expect(operations.map(({ text }) => text)).toContain('Place a bet with credits of the current week');
    expect(told.length).toBeGreaterThan(100);
  });

  it('never hold a currency sign', () => {
    for (const said of [modules, operations]) expect(offences(said, SIGN)).toEqual([]);
    for (const said of [told, read]) expect(offences(said, SIGNED_AMOUNT)).toEqual([]);
  });

  it.each(WORDS)('never hold %p', (pattern) => {
    for (const said of [modules, operations, told, read]) expect(offences(said, pattern)).toEqual([]);
  });

  it('speak of money only where prizes are', () => {
    const beside = [...modules, ...operations].filter((said) => !aboutPrizes(said));
    expect(offences(beside, MONEY)).toEqual([]);
  });

  it('are credits wherever something staked or paid is described', () => {
    const described = operations.filter(
      ({ where, text }) => /PlaceBetDto|MyPoolDto/.test(where) && /stake/i.test(text),
    );
    expect(described.some(({ text }) => /credits/i.test(text))).toBe(true);
  });
});
