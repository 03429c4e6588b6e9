/**
 * The house, as import rules. `src/modules` stands on `src/platform`; a module calls only downwards in the order
 * below, and from another module it takes nothing but that module's face. Upwards it speaks by events.
 */

/** The steps from the top down. Modules on one step are neighbours: they do not import each other. */
const STEPS = [
  ['settlement', 'leaderboards', 'notifications'],
  ['bets', 'picks', 'feed', 'messaging', 'matches', 'marketplace'],
  ['pools'],
  ['payments'],
  ['auth'],
  ['media'],
  ['compliance'],
  ['wallet'],
  ['sports'],
  ['users'],
];

/** What a module shows to those above it. Its tables, DTOs, controllers and jobs are its own affair. */
const FACE = '\\.(module|service|events|errors|types|port|decorator)\\.ts$';

/** What pure code may lean on besides other pure code. */
const PURE_NPM = '(^|/)node_modules/(@types/)?luxon/';
const PURE_CORE = '^(crypto|util)$';
const PURE_PLATFORM = '^src/platform/(money|state-machine)(/|\\.ts$|-)';

const MODULES = '^src/modules/([^/]+)/';
const DOMAIN = '^src/modules/[^/]+/domain/';
const SPEC = '[.-]spec\\.ts$';
const ENTRY = '^src/(main|worker|app\\.module|worker\\.module)\\.ts$';

const oneOf = (names) => `^src/modules/(${names.join('|')})/`;

const stepRules = STEPS.flatMap((step, depth) => {
  const above = STEPS.slice(0, depth).flat();
  const neighbours = step.length > 1 ? step : [];
  return [
    ...(above.length > 0
      ? [
          {
            name: `not-upwards-from-${step.join('-')}`,
            comment: `${step.join(', ')} may not import ${above.join(', ')}: publish an event or declare a port.`,
            severity: 'error',
            from: { path: oneOf(step) },
            to: { path: oneOf(above) },
          },
        ]
      : []),
    ...(neighbours.length > 0
      ? [
          {
            name: `not-sideways-among-${step.join('-')}`,
            comment: `${step.join(', ')} share a step and do not import each other: publish an event.`,
            severity: 'error',
            from: { path: oneOf(step) },
            to: { path: oneOf(step), pathNot: '^src/modules/$1/' },
          },
        ]
      : []),
  ];
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle, of types too, means that a concept is on the wrong floor.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'platform-knows-no-module',
      comment: 'Floor 0 knows nothing of wagering.',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/modules/' },
    },
    {
      name: 'every-module-has-a-step',
      comment: 'A new module needs its place in STEPS before anything may use it.',
      severity: 'error',
      from: {},
      to: { path: '^src/modules/', pathNot: oneOf(STEPS.flat()) },
    },
    {
      name: 'every-module-has-a-step-before-it-imports',
      comment: 'A new module needs its place in STEPS before it may use anything.',
      severity: 'error',
      from: { path: '^src/modules/', pathNot: oneOf(STEPS.flat()) },
      to: {},
    },
    ...stepRules,
    {
      name: 'only-the-face-of-another-module',
      comment: 'Entities, repositories, DTOs, controllers, gateways and processors never leave their module.',
      severity: 'error',
      from: { path: MODULES },
      to: { path: '^src/modules/', pathNot: ['^src/modules/$1/', FACE, DOMAIN] },
    },
    {
      name: 'only-types-from-another-domain',
      comment: 'Another module calls the service; of the domain it sees the types (`import type`).',
      severity: 'error',
      from: { path: MODULES, pathNot: DOMAIN },
      to: { path: DOMAIN, pathNot: '^src/modules/$1/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-faces-from-outside-the-modules',
      comment: 'Commands under src/ use modules as other modules do; the entry points alone wire everything.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/modules/', ENTRY, SPEC] },
      to: { path: '^src/modules/', pathNot: [FACE, DOMAIN] },
    },
    {
      name: 'domain-is-pure',
      comment:
        'domain/ imports other domain files, money, the state machine, luxon, node:crypto and node:util. No Nest, no I/O.',
      severity: 'error',
      from: { path: DOMAIN, pathNot: SPEC },
      to: { pathNot: [DOMAIN, PURE_PLATFORM, PURE_NPM, PURE_CORE] },
    },
    {
      name: 'product-does-not-import-its-tools',
      comment: 'src/ ships; scripts, benchmarks and tests do not, and the edge ships by itself.',
      severity: 'error',
      from: { path: '^src/', pathNot: SPEC },
      to: { path: '^(scripts|bench|test|edge)/' },
    },
    {
      name: 'edge-stands-alone',
      comment: 'A worker at the edge is deployed by itself, out of its own folder.',
      severity: 'error',
      from: { path: '^edge/([^/]+)/' },
      to: { pathNot: '^edge/$1/' },
    },
    {
      name: 'specs-beside-code-use-test-support-only',
      comment: 'A spec in src/ may borrow builders from test/support, nothing else outside the product.',
      severity: 'error',
      from: { path: `^src/.*${SPEC}` },
      to: { path: '^(scripts|bench|test)/', pathNot: '^test/support/' },
    },
    {
      name: 'nothing-imports-a-spec',
      comment: 'What two specs share is a builder in test/support.',
      severity: 'error',
      from: {},
      to: { path: SPEC },
    },
    {
      name: 'product-needs-no-dev-dependency',
      comment: 'The image is installed with --omit=dev. Types are erased, so they may come from there.',
      severity: 'error',
      from: { path: '^(src|config|migrations)/|^ormconfig\\.ts$', pathNot: SPEC },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: 'node_modules/@types/',
      },
    },
    {
      name: 'declared-packages-only',
      comment: 'A package that package.json does not list is there by accident.',
      severity: 'error',
      from: { path: '^(src|config|migrations|scripts|bench|test|edge)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-unresolvable-import',
      comment: 'An import that resolves to nothing passes no other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|data)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    moduleSystems: ['es6', 'cjs', 'tsd'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
    reporterOptions: { text: { highlightFocused: true } },
  },
};
