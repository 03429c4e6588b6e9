/**
 * Whether the documents of the routes and the sockets that run may be published: valid OpenAPI 3.1 and AsyncAPI 3.0, every operation
 * described, every example fitting its schema, every error code where it belongs. Needs no database:
 * `npm run openapi:check`.
 */
import { socketProblemsOf } from '../openapi/asyncapi.js';
import { describeProduct, operationsOf } from '../openapi/document.js';
import { problemsOf } from '../openapi/problems.js';

const { document, sockets, catalogue } = await describeProduct();
const problems = [
  ...(await problemsOf(document, sockets, catalogue)),
  ...socketProblemsOf(sockets, catalogue),
];
if (problems.length > 0) {
  for (const problem of problems) console.error(problem);
  console.error(`${problems.length} problem(s)`);
  process.exitCode = 1;
} else {
  console.log(
    `ok: OpenAPI ${document.openapi}, ${operationsOf(document).length} operations; ` +
      `AsyncAPI ${sockets.asyncapi}, ${Object.keys(sockets.operations).length} operations; ${catalogue.size} codes`,
  );
}
