import t from 'tap'
import { client } from './go-net-smtp.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'may', 'encrypt', 'verify', 'implicit', 'default'],
  untouched: 'tls',
  checksNames: () => true,
  exact: true,
  cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  kinds: ['temporary', 'permanent'],
})
