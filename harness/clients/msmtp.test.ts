import t from 'tap'
import { client } from './msmtp.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'encrypt', 'verify', 'implicit', 'default'],
  untouched: 'clear',
  checksNames: () => true,
  exact: true,
  cipher: 'NORMAL:-CIPHER-ALL:+AES-256-GCM',
  kinds: ['temporary', 'permanent'],
})
