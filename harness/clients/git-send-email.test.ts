import t from 'tap'
import { client } from './git-send-email.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'encrypt', 'verify', 'implicit', 'default'],
  untouched: 'clear',
  checksNames: () => true,
  exact: 'rewritten',
  cipher: undefined,
  certificates: false,
  kinds: [undefined, undefined],
})
