/**
 * libnss_wrapper, made for tests of programs that can only be given a name: preloaded, it answers look-ups of hosts and of
 * users from files of ours. Debian's package is `libnss-wrapper`.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Delivery } from '../../scenarios/client.ts'
import { probeProgram } from './program-client.ts'

export const NSS_WRAPPER = 'libnss_wrapper.so'

/** Whether it is on this machine; the linker only complains of a library that cannot be preloaded. */
export async function hasNssWrapper(): Promise<boolean> {
  const probe = await probeProgram(['env', `LD_PRELOAD=${NSS_WRAPPER}`, 'echo', 'here'], '', /^(here)$(?![^]*ld\.so)/m)
  return probe.found
}

/**
 * Environment in which the delivery's name is at its address, and the user has the delivery's folder for a home: what a
 * program leaves in the home that the password file names (sSMTP's dead.letter) goes with the delivery.
 */
export async function wrappedNames({ address, hostName, folder }: Delivery): Promise<Record<string, string>> {
  const files = { hosts: join(folder, 'hosts'), passwd: join(folder, 'passwd'), group: join(folder, 'group') }
  const user = process.getuid?.() ?? 0
  const group = process.getgid?.() ?? 0
  await writeFile(files.hosts, `${address} ${hostName}\n`)
  await writeFile(files.passwd, `badmx:x:${user}:${group}::${folder}:/bin/sh\n`)
  await writeFile(files.group, `badmx:x:${group}:\n`)
  return {
    LD_PRELOAD: NSS_WRAPPER,
    NSS_WRAPPER_HOSTS: files.hosts,
    NSS_WRAPPER_PASSWD: files.passwd,
    NSS_WRAPPER_GROUP: files.group,
  }
}
