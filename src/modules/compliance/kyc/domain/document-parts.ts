export const DOCUMENT_KINDS = ['passport', 'id_card', 'driving_licence'] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export const PARTS = ['front', 'back', 'selfie'] as const;
export type Part = (typeof PARTS)[number];

/** What is still to be sent, in the order in which it is asked for. */
export function missingParts(asked: readonly Part[], sent: readonly Part[]): Part[] {
  return asked.filter((part) => !sent.includes(part));
}

/**
 * A document's number as two people write it alike: capital letters and digits. Null when nothing of it is left. Told with kind and country,
 * since two countries give out one number.
 */
export function documentName(kind: DocumentKind, country: string, number: string): string | null {
  const plain = number
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '');
  return plain === '' ? null : `${kind}:${country}:${plain}`;
}
