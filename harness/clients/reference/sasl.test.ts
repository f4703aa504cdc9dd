import t from 'tap'
import { exchangeOf } from './sasl.ts'

t.test('PLAIN, LOGIN, CRAM-MD5, XOAUTH2', async (t) => {
  const credentials = { user: 'tim', password: 'tanstaaftanstaaf' }
  t.equal(exchangeOf('PLAIN', credentials, '').initial, '\0tim\0tanstaaftanstaaf')
  const login = exchangeOf('LOGIN', credentials, '')
  t.same(
    [login.respond('Username:'), login.respond('Password:'), login.respond('?')],
    ['tim', 'tanstaaftanstaaf', undefined],
  )
  // RFC 2195 §2
  const cram = exchangeOf('CRAM-MD5', credentials, '')
  t.equal(cram.respond('<1896.697170952@postoffice.reston.mci.net>'), 'tim b913a602c7eda7a495b4e6e7334d3890')
  t.equal(cram.respond('again'), undefined)
  t.equal(exchangeOf('XOAUTH2', credentials, '').initial, 'user=tim\x01auth=Bearer tanstaaftanstaaf\x01\x01')
})

t.test('SCRAM-SHA-256, the example of RFC 7677 §3', async (t) => {
  const begin = () => exchangeOf('SCRAM-SHA-256', { user: 'user', password: 'pencil' }, 'rOprNGfwEbeRWgbNEkqO')
  const first = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
  const exchange = begin()
  t.equal(exchange.initial, 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  t.equal(
    exchange.respond(first),
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  )
  t.notOk(exchange.complete(), 'the server has proven nothing yet')
  t.equal(exchange.respond('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='), '')
  t.ok(exchange.complete())
  const lied = begin()
  lied.respond(first)
  t.equal(lied.respond('v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='), undefined)
  t.notOk(lied.complete(), 'a signature that is wrong')
  t.equal(begin().respond(first.replace('rOpr', 'xxxx')), undefined, 'a nonce that is not ours')
})
