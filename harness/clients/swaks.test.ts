import t from 'tap'
import { client } from './swaks.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'may', 'encrypt', 'verify', 'implicit', 'default'],
  untouched: 'clear',
  checksNames: (version) => Number.parseInt(version, 10) >= 20_240_103,
  exact: false,
  cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  kinds: ['temporary', 'permanent'],
})
