/**
 * The temporary RSA key of 512 bits for export suites (RFC 2246 §7.4.3). Fixed and public, as FREAK (CVE-2015-0204) found many:
 * it protects nothing.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'

const DER =
  'MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEA8XoAUcMCqMHWucdfvVZWux2MQ25GR629rxRpHwoSPNXjzm1DRgLC0CdZvqvY' +
  '4G5iI7bXNaj6ytPeUj9zXVso8QIDAQABAkBYUckAHpVAZ/VDabqIo6WBNqNwnkqyOMeh25M/OQ3Glbaa2KvV8NVpUhGb3sPB7P0UHX4RobF/' +
  'uCgDckOXkySBAiEA/iya8GuknZKQA5a3zndgt3+OimXh9SXAO13TNvrpSpkCIQDzNgvso4IPAM5Znfami3pQeAAIz4YN2nWITTwfOtXgGQIg' +
  'KLj0yfg1E5nbwPdw03+E22FwcPQJ08EMn3ZU1MY2gmECIQDjOF8zmh7sPWiLuVSyjCSeAT6m/JrVXn/n86Bz3NfsIQIgYzDOsyr0dRUKpa13' +
  'lw1oOaEv4fbVM3tTkvnozYg+rls='

export const EXPORT_KEY: KeyObject = createPrivateKey({ key: Buffer.from(DER, 'base64'), format: 'der', type: 'pkcs8' })
