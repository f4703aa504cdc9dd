import t from 'tap'
import { client } from './go-net-smtp.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'may', 'encrypt', 'verify', 'implicit', 'default'],
  untouched: 'tls',
  checksNames: () => true,
  untouchedName: 'localhost',
  exact: true,
  cipher: undefined,
  endless: true,
  kinds: ['temporary', 'permanent'],
})
