import t from 'tap'
import { client } from './s-nail.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'encrypt', 'verify', 'implicit', 'default'],
  untouched: 'clear',
  checksNames: () => true,
  exact: 'rewritten',
  cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  kinds: [undefined, undefined],
})
