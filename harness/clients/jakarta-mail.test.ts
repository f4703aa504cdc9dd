import t from 'tap'
import { client } from './jakarta-mail.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'may', 'encrypt', 'verify', 'implicit', 'default'],
  untouched: 'clear',
  checksNames: () => true,
  exact: true,
  cipher: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  kinds: ['temporary', 'permanent'],
})
