/**
 * House rules that no linter of ours can express: one regular expression and its exceptions each, so the failure
 * reads as the rule does. Runs on plain Node (`node scripts/checks/source-rules.ts`), before anything is built.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';

/** Lines a source file may have; beyond it, a file is two files. */
const MAX_LINES = 300;

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDERS = ['src', 'scripts', 'bench', 'test', 'edge', 'config', 'migrations'];
const SOURCE = /\.[cm]?[jt]s$/;
const SPEC = /[.-]spec\.ts$/;

interface Rule {
  readonly name: string;
  readonly why: string;
  readonly pattern: RegExp;
  /** True where the rule holds; paths are relative to the root, with forward slashes. */
  readonly holdsIn: (path: string) => boolean;
  /** True for a match that is right after all; sees the line and the one before it. */
  readonly allows?: (line: string, previous: string) => boolean;
  /** True when the rule is about prose as well, so that comment lines count. */
  readonly inComments?: boolean;
}

interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly text: string;
}

const inSource = (path: string): boolean => path.startsWith('src/');
const isClock = (path: string): boolean =>
  path.startsWith('src/platform/clock/') || (path.split('/').at(-1) ?? '').includes('clock');

const RULES: readonly Rule[] = [
  {
    name: 'no forwardRef',
    why: 'a cycle means that a concept is on the wrong floor',
    pattern: /\bforwardRef\s*\(/,
    holdsIn: inSource,
  },
  {
    name: 'time comes from the Clock',
    why: 'deadlines move only with the injected Clock',
    pattern: /\bnew Date\(\s*\)|\bDate\.now\s*\(|\bDateTime\.(?:now|utc|local)\(\s*\)/,
    holdsIn: (path) => inSource(path) && !isClock(path),
  },
  {
    name: 'SQL stands in repositories',
    why: 'all of a module’s SQL is in its *.repository.ts',
    pattern: /\.query\s*(?:<[^()]*>)?\(|\bcreateQueryBuilder\s*(?:<[^()]*>)?\(/,
    holdsIn: (path) =>
      inSource(path) &&
      !path.startsWith('src/platform/') &&
      !path.endsWith('.repository.ts') &&
      !path.includes('/migrations/'),
  },
  {
    name: 'configuration is read in one place',
    why: 'src/platform/config refuses to boot with the list of all that is wrong',
    pattern: /\bprocess\.env\b|\bprocess\[['"]env['"]\]/,
    holdsIn: (path) => inSource(path) && !path.startsWith('src/platform/config/'),
  },
  {
    name: 'the product logs, it does not print',
    why: 'the logger redacts and carries the request id',
    pattern: /\bconsole\.log\b/,
    holdsIn: inSource,
  },
  {
    name: 'the schema is in migrations',
    why: 'a synchronised schema loses constraints and data',
    pattern: /\bsynchronize:\s*true\b/,
    holdsIn: () => true,
  },
  {
    name: 'nothing is left for later or silenced',
    why: 'what is committed is finished, and no check is turned off beside the code it judges',
    pattern: /\b(?:TO[D]O|FIX[M]E)|\b[Nn]ot\s+implemented\b|@ts-(?:ignore|nocheck)\b|\b(?:es|ox)lint-disable/,
    holdsIn: (path) => !path.startsWith('config/') && !path.startsWith('migrations/'),
    inComments: true,
  },
  {
    name: 'every test runs',
    why: 'a skip is allowed only as the else of a condition: `const maybe = there ? it : it.skip`',
    pattern:
      /\b(?:it|test|describe)\.(?:only|skip|failing)\b|\b(?:xit|xtest|xdescribe|fit|fdescribe)\s*\(|\btodo\s*\(/,
    holdsIn: (path) => path.startsWith('test/') || SPEC.test(path),
    allows: (line, previous) =>
      /\.skip\b/.test(line) && !/\.(?:only|failing)\b/.test(line) && isElseBranch(line, previous),
  },
];

/** The formatter may break a long conditional, its else then standing on a line of its own. */
function isElseBranch(line: string, previous: string): boolean {
  return line.includes('?') || (line.trimStart().startsWith(':') && previous.trimStart().startsWith('?'));
}

function isComment(line: string): boolean {
  return /^\s*(?:\/\/|\/\*|\*)/.test(line);
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && SOURCE.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

function rootFiles(): string[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isFile() && SOURCE.test(entry.name))
    .map((entry) => entry.name);
}

function findingsOf(path: string, lines: readonly string[]): Finding[] {
  const rules = RULES.filter((rule) => rule.holdsIn(path));
  const findings = lines.flatMap((line, index) =>
    rules
      .filter((rule) => rule.inComments === true || !isComment(line))
      .filter((rule) => rule.pattern.test(line) && rule.allows?.(line, lines[index - 1] ?? '') !== true)
      .map((rule) => ({ path, line: index + 1, rule: `${rule.name} (${rule.why})`, text: line.trim() })),
  );
  if (inSource(path) && lines.length > MAX_LINES) {
    findings.push({
      path,
      line: lines.length,
      rule: `a file has at most ${MAX_LINES} lines (split it by what users do, not by layer)`,
      text: `${lines.length} lines`,
    });
  }
  return findings;
}

function linesOf(path: string): string[] {
  return readFileSync(join(ROOT, path), 'utf8').replace(/\n$/, '').split(/\r?\n/);
}

const files = [...FOLDERS.flatMap(sourceFiles), ...rootFiles()].toSorted();
let lineCount = 0;
const findings = files.flatMap((path) => {
  const lines = linesOf(path);
  lineCount += lines.length;
  return findingsOf(path, lines);
});

if (findings.length > 0) {
  for (const { path, line, rule, text } of findings) {
    console.error(`${path}:${line}  ${rule}\n    ${text.slice(0, 140)}`);
  }
  console.error(`${findings.length} finding(s) in ${files.length} files`);
  process.exitCode = 1;
} else {
  console.log(`ok: ${files.length} files, ${lineCount} lines, ${RULES.length + 1} rules`);
}
