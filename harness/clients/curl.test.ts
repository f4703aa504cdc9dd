import t from 'tap'
import { client } from './curl.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'may', 'encrypt', 'verify', 'implicit', 'default'],
  untouched: 'clear',
  checksNames: () => true,
  exact: true,
  kinds: ['temporary', 'permanent'],
})
