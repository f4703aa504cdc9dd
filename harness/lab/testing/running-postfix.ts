/** A Postfix as somebody else has installed and started it, which badmx is told the address of and nothing else. */
import { createInterface } from 'node:readline'
import { main } from '../../main.ts'
import type { Layer } from '../layer.ts'
import { LAB_PLAN, LOOPBACK_PLAN } from '../network.ts'
import { openRoot } from '../root.ts'

/** Its back-off is short, so that it comes back while a test waits. */
const MAIN = `compatibility_level = 3.6
myhostname = appliance.badmx.test
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
queue_run_delay = 3s
minimal_backoff_time = 12s
maximal_backoff_time = 12s
smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy
`

const POLICIES = '.may.badmx.test may\n.encrypt.badmx.test encrypt\ndsn.badmx.test may\n'

/** Runs a command line of badmx beside it, in the lab's network or as on a machine without a lab; its exit code. */
export async function besidePostfix(
  layer: Layer,
  network: 'lab' | 'loopback',
  words: readonly string[],
): Promise<number> {
  const root = await openRoot(layer, {
    resolvers: [(network === 'lab' ? LAB_PLAN : LOOPBACK_PLAN).resolver],
    onLog: (line) => process.stderr.write(`${line}\n`),
  })
  await root.write('/etc/postfix/main.cf', MAIN, { ageSeconds: 3600 })
  await root.write('/etc/postfix/tls_policy', POLICIES, { ageSeconds: 3600 })
  for (const edit of [
    ['-MX', 'smtp/inet'],
    ['-M', '127.0.0.1:2525/inet=127.0.0.1:2525 inet n - n - - smtpd'],
    ['-F', '*/*/chroot=n'],
  ])
    await root.run(['postconf', ...edit])
  const master = root.spawn(['sh', '-c', 'postfix check && /usr/lib/postfix/sbin/master -w && echo up'])
  if (master.stdout !== null)
    for await (const line of createInterface({ input: master.stdout })) if (line === 'up') break
  // A lab is what this variable says, and its network.
  if (network === 'loopback') delete process.env['BADMX_LAB']
  try {
    return await main(words)
  } finally {
    await root.close()
  }
}
