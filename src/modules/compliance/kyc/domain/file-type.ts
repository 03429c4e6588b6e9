/** What may be sent of a document. */
export const MEDIA_TYPES = ['image/jpeg', 'image/png', 'application/pdf'] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

const SIGNATURES: Readonly<Record<MediaType, Buffer>> = {
  'image/jpeg': Buffer.of(0xff, 0xd8, 0xff),
  'image/png': Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
  'application/pdf': Buffer.from('%PDF-'),
};

/**
 * What the bytes themselves say they are, at their very beginning; null when it is nothing that is taken. Names and headers are not
 * asked: whoever opens it later is told this type and no other, so that nothing else is ever made of it.
 */
export function typeOfFile(bytes: Buffer): MediaType | null {
  return (
    MEDIA_TYPES.find((type) => bytes.subarray(0, SIGNATURES[type].length).equals(SIGNATURES[type])) ?? null
  );
}
