import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

/** What OpenAPI 3.1 adds to JSON Schema, and we to it. Any other unknown keyword is a mistake. */
const OF_OPENAPI = ['example', 'discriminator', 'xml', 'externalDocs', 'x-alternative'];
const OF_ASYNCAPI = ['x-alternative'];

interface Document {
  readonly components: { readonly schemas?: unknown };
}

/** The schemas of a document, read strictly: OpenAPI's as JSON Schema 2020-12, AsyncAPI's as draft 07, of which it is a superset. */
export class Schemas {
  private readonly ajv: Ajv | Ajv2020;

  constructor(document: Document) {
    const isAsync = 'asyncapi' in document;
    const options = { allErrors: true, strict: true, strictTypes: false, strictRequired: false };
    this.ajv = isAsync ? new Ajv(options) : new Ajv2020(options);
    formats.default(this.ajv);
    this.ajv.addVocabulary(isAsync ? OF_ASYNCAPI : OF_OPENAPI);
    this.ajv.addSchema(pointing({ $defs: document.components.schemas ?? {} }, '#/$defs/'), 'named');
  }

  /** Why the value does not fit the schema, or why the schema is none; null when it fits. */
  misfit(schema: object, value: unknown): string | null {
    try {
      const fits = this.ajv.compile(pointing(schema, 'named#/$defs/'));
      return fits(value) ? null : this.ajv.errorsText(fits.errors);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

/** The schema with its references to named schemas leading elsewhere. */
function pointing(schema: object, to: string): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', `"${to}`)) as object;
}
