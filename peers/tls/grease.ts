/** Values that RFC 8701 §2 reserves so that servers get used to unknown ones: of suites, extensions, groups, versions. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
}
