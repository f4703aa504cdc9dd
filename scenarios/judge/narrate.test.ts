import t from 'tap'
import { type Dialogue, LogBuilder } from './log-builder.ts'

const HELLO = Buffer.from('16030100050100000100', 'hex').toString('latin1')

/** The reason of a cell in which the client failed after this dialogue. */
function told(say: (dialogue: Dialogue) => void, given: { readonly tlsOnConnect?: boolean } = {}): string {
  const log = new LogBuilder({ expected: 'D', judgedAs: 'encrypt' }).attempt()
  const dialogue = log.conn('c1', given)
  say(dialogue)
  dialogue.close()
  return log.says('failed').done().judge().reason
}

t.test('a handshake that the client never began is not called a failed one', async (t) => {
  const go = told((dialogue) => dialogue.greet('STARTTLS').starttls().failed())
  t.match(go, /^ended the connection after the 220 to STARTTLS; nothing of the message was sent/)
  const connected = told((dialogue) => dialogue.failed(), { tlsOnConnect: true })
  t.match(connected, /^ended the connection after connecting, without a ClientHello, to a peer where TLS comes first; /)
  t.notMatch(connected, /220|failed/)
})

t.test('a handshake that the client began and that broke is', async (t) => {
  const broken = told((dialogue) => dialogue.greet('STARTTLS').starttls().hello().failed())
  t.match(broken, /^ended the connection after the failed TLS handshake \(the client closed the connection/)
})

t.test('a ClientHello that did not wait for the 220 is not said to have failed after it', async (t) => {
  const early = told((dialogue) =>
    dialogue.greet('STARTTLS').c('STARTTLS\r\n').hello().c(HELLO).s('220 go\r\n').failed(),
  )
  t.match(early, /^ended the connection after its ClientHello, which came before the 220 to STARTTLS; /)
})

t.test('what the peer made of a ClientHello that it could not answer', async (t) => {
  const silence = told((dialogue) => dialogue.greet('STARTTLS').starttls().c(HELLO))
  t.match(silence, /^ended the connection after its ClientHello, which got no answer; /)
  const reply = told((dialogue) => dialogue.greet('STARTTLS').starttls().c(HELLO).s('500 no TLS here\r\n'))
  t.match(reply, /^ended the connection after its ClientHello, which was answered in clear \(500\); /)
  const text = told((dialogue) => dialogue.greet('STARTTLS').starttls().c(HELLO).s('HTTP/1.1 400 Bad Request\r\n'))
  t.match(text, /^ended the connection after its ClientHello, which was answered in clear; /)
  const refused = told((dialogue) => dialogue.greet('STARTTLS').starttls('454 no\r\n'))
  t.match(refused, /^ended the connection after the reply 454 to STARTTLS; /)
})

t.test('a 221 is the answer to QUIT, also where commands before it were never answered', async (t) => {
  const mute = told((dialogue) => dialogue.s('220 mx\r\n').c('EHLO c\r\n', 'HELO c\r\n', 'QUIT\r\n').s('221 bye\r\n'))
  t.match(mute, /^quit after HELO, which got no reply; /)
  const wrong = told((dialogue) =>
    dialogue.s('220 mx\r\n').c('EHLO c\r\n').s('221 bye\r\n').c('QUIT\r\n').s('221 bye\r\n'),
  )
  t.match(wrong, /^quit after the reply 221 to EHLO; /)
})
