import t from 'tap'
import { client } from './ssmtp.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'encrypt', 'default'],
  untouched: 'clear',
  checksNames: () => false,
  sendsNames: false,
  exact: 'rewritten',
  cipher: undefined,
  kinds: ['temporary', 'permanent'],
})
