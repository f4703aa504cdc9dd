/**
 * The DNS of a run without a lab: the same zones, name servers, faults and validating resolver, all in this process, for
 * the clients in it. Nothing listens; hosts have no addresses of their own.
 */
import { Internet as Zones } from '../peers/dns/internet.ts'
import { typeText } from '../peers/dns/numbers.ts'
import { rdataText } from '../peers/dns/rdata-text.ts'
import { type Dns, type DnsOptions, startDns } from '../peers/dns/start.ts'
import type { Zone } from '../peers/dns/zone.ts'
import type { Ask, DnsAnswer } from '../scenarios/client.ts'
import type { Internet } from '../scenarios/internet.ts'

export interface LocalInternetOptions extends Required<Pick<DnsOptions, 'log' | 'now' | 'timeScale'>> {
  /** Of the run: the keys of the zones are made of it. */
  readonly seed: number
  /** The run's date: signatures are dated relative to it. */
  readonly clock: Date
}

export class LocalInternet implements Internet {
  private readonly zones: Zones
  private readonly dns: Dns

  private constructor(zones: Zones, dns: Dns) {
    this.zones = zones
    this.dns = dns
  }

  static async open({ seed, clock, log, now, timeScale }: LocalInternetOptions): Promise<LocalInternet> {
    const zones = await Zones.create([], { seed, clock })
    return new LocalInternet(zones, await startDns({ internet: zones, resolver: [], log, now, timeScale }))
  }

  publish(zones: readonly Zone[]): void {
    for (const each of zones) this.zones.put(each)
  }

  readonly ask: Ask = (name, type) => askOf(this.dns, name, type)

  close(): Promise<void> {
    return this.dns.close()
  }
}

/** The answer of a resolver in the words of {@link Ask}. */
export async function askOf(dns: Dns, name: string, type: Parameters<Ask>[1]): Promise<DnsAnswer> {
  const { rcode, ad, answers } = await dns.ask(name, type)
  return {
    rcode,
    secure: ad,
    records: answers.map((each) => ({
      name: each.name,
      type: typeText(each.type),
      data: rdataText(each.type, each.data),
    })),
  }
}
