/**
 * An alert as a TLS 1.3 server sends it once the handshake is over: encrypted under its application traffic secret (RFC 8446
 * §5.2, §7.3). Pure. For refusals that OpenSSL leaves to the application and gives it no alert for.
 */
import { TrafficKeys } from './traffic-keys.ts'

const FATAL = 2
const ALERT = 21

/**
 * The record of a fatal alert that is the first under `secret`: nothing may have been sent under it before.
 *
 * @param suite IANA name of the session's cipher suite.
 * @throws {RangeError} on a suite that is none of TLS 1.3's.
 */
export function sealedAlert(suite: string, secret: Buffer, description: number): Buffer {
  return new TrafficKeys(suite, secret).seal(ALERT, Buffer.from([FATAL, description]))
}
