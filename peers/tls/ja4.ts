/**
 * JA4, the fingerprint of a ClientHello by which TLS clients are told apart: FoxIO's "JA4: TLS Client Fingerprinting", which anybody
 * may implement (BSD 3-Clause). Pure.
 */
import { createHash } from 'node:crypto'
import type { HelloSeen } from '../events.ts'
import { isGrease } from './grease.ts'

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0300, 's3'],
  [0x0301, '10'],
  [0x0302, '11'],
  [0x0303, '12'],
  [0x0304, '13'],
])

const SERVER_NAME = 0
const ALPN = 16

const hex = (value: number): string => value.toString(16).padStart(4, '0')
const twoDigits = (value: number): string => String(Math.min(value, 99)).padStart(2, '0')

function hash(text: string): string {
  return text === '' ? '0'.repeat(12) : createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** First and last character of the first protocol, in hexadecimal where they are neither letters nor digits. */
function protocolOf([first]: readonly string[]): string {
  if (first === undefined || first === '') return '00'
  const ends = `${first.at(0)}${first.at(-1)}`
  if (/^[A-Za-z0-9]{2}$/.test(ends)) return ends
  const octets = Buffer.from(first, 'latin1').toString('hex')
  return `${octets.at(0)}${octets.at(-1)}`
}

/** `t13d1516h2_8daaf6152771_e5627efa2ab1`, of a hello in TLS records. */
export function ja4(hello: HelloSeen): string {
  const suites = hello.cipherSuites.filter((suite) => !isGrease(suite))
  const extensions = hello.extensions.filter((type) => !isGrease(type))
  const version = Math.max(0, ...hello.versions.filter((each) => !isGrease(each)))
  const named = extensions.includes(SERVER_NAME) ? 'd' : 'i'
  const head = `t${VERSIONS.get(version) ?? '00'}${named}${twoDigits(suites.length)}${twoDigits(extensions.length)}`
  const sorted = extensions
    .filter((type) => type !== SERVER_NAME && type !== ALPN)
    .map(hex)
    .sort()
    .join(',')
  const algorithms = hello.signatureAlgorithms
    .filter((each) => !isGrease(each))
    .map(hex)
    .join(',')
  const tail = sorted === '' ? '' : algorithms === '' ? sorted : `${sorted}_${algorithms}`
  return `${head}${protocolOf(hello.alpn)}_${hash(suites.map(hex).sort().join(','))}_${hash(tail)}`
}
