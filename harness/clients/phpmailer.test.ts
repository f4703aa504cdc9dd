import t from 'tap'
import { client } from './phpmailer.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'may', 'encrypt', 'verify', 'implicit', 'default'],
  untouched: 'tls',
  checksNames: () => true,
  exact: false,
  cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  kinds: ['temporary', 'permanent'],
})
