/** What OpenSSL needs for TLS as client, made once for all connections that want the same: a suite has a thousand of those. */
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Target } from './connection.ts'

/** By what they are made of. */
const contexts = new Map<string, SecureContext>()

export function contextOf({ ca, own, ciphers, maxVersion }: Target): SecureContext {
  const options = {
    ca,
    ...own,
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  }
  const key = JSON.stringify(options)
  const context = contexts.get(key) ?? createSecureContext(options)
  contexts.set(key, context)
  return context
}
