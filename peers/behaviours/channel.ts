/**
 * In which channel a behaviour acts, in clear or inside TLS: the parameter `in`, shared by the behaviours that are about
 * commands and replies and not about STARTTLS. The other channel passes unchanged and unmarked.
 */
import { z } from 'zod'

export const channelParameter = z
  .enum(['clear', 'tls', 'both'])
  .default('both')
  .describe('Where it acts: in clear, inside TLS, or in both.')

export type Channel = z.infer<typeof channelParameter>

/** Whether a unit that came (or goes) `secured` is in the channel. */
export function isInChannel(channel: Channel, { secured }: { readonly secured: boolean }): boolean {
  return channel === 'both' || secured === (channel === 'tls')
}

/** For details: `in clear` or `inside TLS`. */
export function channelName({ secured }: { readonly secured: boolean }): string {
  return secured ? 'inside TLS' : 'in clear'
}
