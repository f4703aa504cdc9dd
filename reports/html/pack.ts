/**
 * What a page does not need at once, packed: most cells pass, and nobody opens all of them. The script of the page unpacks
 * what is opened (DecompressionStream, which reads raw DEFLATE, RFC 1951).
 */
import { deflateRawSync } from 'node:zlib'

/** Base64 of the DEFLATE of its UTF-8: holds nothing that could be markup. */
export function pack(markup: string): string {
  return deflateRawSync(Buffer.from(markup), { level: 9 }).toString('base64')
}
