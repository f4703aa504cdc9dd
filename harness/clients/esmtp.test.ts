import t from 'tap'
import { client } from './esmtp.ts'
import { checkClient } from './testing/check-client.ts'

await checkClient(t, {
  client,
  supported: ['none', 'may', 'verify', 'default'],
  untouched: 'clear',
  checksNames: () => true,
  checksAlways: true,
  sendsNames: false,
  reliable: 'TLSv1.2',
  exact: true,
  cipher: undefined,
  kinds: ['temporary', 'permanent'],
})
