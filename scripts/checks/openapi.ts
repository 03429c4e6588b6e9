/**
 * Whether the OpenAPI document of the routes that run may be published: valid OpenAPI 3.1, every operation described,
 * every example fitting its schema, every error code where it belongs. Needs no database:
 * `npm run openapi:check`.
 */
import { describeProduct, operationsOf } from '../openapi/document.js';
import { problemsOf } from '../openapi/problems.js';

const { document, catalogue } = await describeProduct();
const problems = await problemsOf(document, catalogue);
if (problems.length > 0) {
  for (const problem of problems) console.error(problem);
  console.error(`${problems.length} problem(s)`);
  process.exitCode = 1;
} else {
  console.log(
    `ok: OpenAPI ${document.openapi}, ${operationsOf(document).length} operations, ${catalogue.size} codes`,
  );
}
