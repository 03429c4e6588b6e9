import { Injectable } from '@nestjs/common';
import { BlindIndex } from '../../../platform/security/blind-index.js';
import { type DocumentKind, documentName } from './domain/document-parts.js';

/** By which documents are known again: a keyed hash, all that is ever kept of a number. */
@Injectable()
export class DocumentNumbers {
  constructor(private readonly index: BlindIndex) {}

  /** Null when there is no number. */
  of(kind: DocumentKind, country: string, number: string | null): Buffer | null {
    const name = number === null ? null : documentName(kind, country, number);
    return name === null ? null : this.index.of('document', name);
  }
}
