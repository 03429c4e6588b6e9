import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { OpenApiDocument } from './document.js';

/** What OpenAPI 3.1 adds to JSON Schema, and we to it. Any other unknown keyword is a mistake. */
const VOCABULARY = ['example', 'discriminator', 'xml', 'externalDocs', 'x-alternative'];

/** The schemas of a document, read strictly as JSON Schema 2020-12. */
export class Schemas {
  private readonly ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
  });

  constructor(document: OpenApiDocument) {
    formats.default(this.ajv);
    this.ajv.addVocabulary(VOCABULARY);
    this.ajv.addSchema(pointing({ $defs: document.components['schemas'] ?? {} }, '#/$defs/'), 'named');
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
