/**
 * The lab's whole internet. Two prefixes are local as a whole, so that every address of them is a mail host of ours; the
 * client's own addresses are on an interface that is not loopback (OpenSMTPD finds no MX through loopback alone); there is
 * no route to anywhere else.
 *
 * The prefixes are those that standards set aside: RFC 2544 (benchmarks), RFC 5737 and RFC 3849 (documentation). For IPv6
 * the documentation prefix and no unique local one, because RFC 6724 prefers a global address to IPv4 and a unique local
 * address less than IPv4: the order in which a client tries addresses is under test.
 */
export const LAB_NETWORK = {
  /** 198.18.0.0 to 198.19.255.255: local, all of it. */
  hosts4: '198.18.0.0/15',
  /** Local, all of it. */
  hosts6: '2001:db8:c612::/48',
  /** Where the client under test comes from. */
  client4: '203.0.113.2',
  client6: '2001:db8:203::2',
  /** The resolver of the client, by custom; one of {@link hosts4}, {@link hosts6}. */
  resolver4: '198.18.0.53',
  resolver6: '2001:db8:c612::53',
  /** The machine's name in the lab. */
  hostname: 'client.lab.badmx.test',
} as const

/**
 * Shell: makes the network. Uses `ip` of the root `$base`, so that the machine needs none. A kernel without IPv6 makes a
 * lab without. `ip_nonlocal_bind`: binding to one address of a local prefix works for IPv4 as it is, for IPv6 so.
 */
export const MAKE_NETWORK = `
chroot "$base" hostname ${LAB_NETWORK.hostname}
chroot "$base" ip -batch - <<END
link set lo up
link add mx0 type veth peer name mx1
link set mx1 up
link set mx0 up
address add ${LAB_NETWORK.client4}/24 dev mx0
route add local ${LAB_NETWORK.hosts4} dev lo src ${LAB_NETWORK.client4}
END
if [ -d /proc/sys/net/ipv6 ]; then
  for name in all default lo mx0; do echo 0 >/proc/sys/net/ipv6/conf/$name/disable_ipv6; done
  echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind
  chroot "$base" ip -6 -batch - <<END
address add ${LAB_NETWORK.client6}/64 dev mx0 nodad
route add local ${LAB_NETWORK.hosts6} dev lo src ${LAB_NETWORK.client6}
END
fi
`

/** Where the hosts of an internet are to be found by a client that asks for them. */
export interface AddressPlan {
  /** Where the resolver listens, on port 53. */
  readonly resolver: string
  /** They are no loopback addresses. */
  readonly allowRemote: boolean
  /** Of the host with this number, 0 or more; undefined where there is none of the family. */
  host(family: 'ipv4' | 'ipv6', number: number): string | undefined
}

/** Of a lab. The name servers and the resolver are in the first 256 addresses. */
export const LAB_PLAN: AddressPlan = {
  resolver: LAB_NETWORK.resolver4,
  allowRemote: true,
  host: (family, number) => {
    const at = 256 + number
    if (family === 'ipv4') return `198.${18 + (at >> 16)}.${(at >> 8) & 0xff}.${at & 0xff}`
    const groups = [at >> 16, at & 0xffff].filter((group) => group !== 0).map((group) => group.toString(16))
    // As RFC 5952 writes it, which is how a socket tells it.
    return `2001:db8:c612::${groups.join(':')}`
  },
}

/** Without a lab: Linux takes all of 127.0.0.0/8 for its own, and of IPv6 one address. */
export const LOOPBACK_PLAN: AddressPlan = {
  resolver: '127.18.0.53',
  allowRemote: false,
  host: (family, number) => {
    const at = 256 + number
    return family === 'ipv4' ? `127.${18 + (at >> 16)}.${(at >> 8) & 0xff}.${at & 0xff}` : undefined
  },
}
