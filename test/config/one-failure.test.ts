import * as assert from 'uvu/assert'
import { createSessions } from '../../core/matching/sessions.ts'
import { suite } from '../suite.ts'
import { scannerOf, shippedFilter } from './scan-text.ts'

const test = suite('failures that services tell in several lines')

/** What a service prints of some logins of one peer, and how many of them failed. */
const logins: readonly (readonly [what: string, filter: string, mode: string, failures: number, lines: string[]])[] = [
  [
    'dovecot: auth and the login process tell of the same two attempts',
    'dovecot',
    'normal',
    2,
    [
      'Nov 22 13:41:02 h dovecot: auth: passwd-file(carol,192.0.2.7,<abc>): Password mismatch',
      'Nov 22 13:41:05 h dovecot: auth: passwd-file(carol,192.0.2.7,<abc>): Password mismatch',
      'Nov 22 13:41:08 h dovecot: imap-login: Disconnected (auth failed, 2 attempts in 6 secs): user=<carol>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.5, session=<abc>',
    ],
  ],
  [
    'dovecot: without auth_verbose only the login process tells, of each connection',
    'dovecot',
    'normal',
    2,
    [
      'Nov 22 13:41:02 h dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<carol>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.5, session=<abc>',
      'Nov 22 13:41:08 h dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<carol>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.5, session=<def>',
    ],
  ],
  [
    'dovecot: connections without a session are told apart by nothing, so all count, also with a pid that they share',
    'dovecot',
    'normal',
    2,
    [
      'Nov 22 13:41:02 h dovecot[9]: imap-login: Disconnected (auth failed, 1 attempts): user=<carol>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.5',
      'Nov 22 13:41:08 h dovecot[9]: imap-login: Disconnected (auth failed, 1 attempts): user=<carol>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.5',
    ],
  ],
  [
    'postfix: what is said when a client leaves was said before',
    'postfix',
    'aggressive',
    2,
    [
      'Nov 22 13:41:02 h postfix/smtpd[9]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6',
      'Nov 22 13:41:02 h postfix/smtpd[9]: disconnect from unknown[192.0.2.7] ehlo=1 auth=0/1 quit=1 commands=2/3',
      'Nov 22 13:41:08 h postfix/smtpd[9]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6',
      'Nov 22 13:41:08 h postfix/smtpd[9]: disconnect from unknown[192.0.2.7] ehlo=1 auth=0/1 quit=1 commands=2/3',
    ],
  ],
  [
    'proftpd: the last of the attempts is told twice',
    'proftpd',
    'normal',
    2,
    [
      '2026-11-22 13:41:02,121 h proftpd[9] h (192.0.2.7[192.0.2.7]): USER a: no such user found from 192.0.2.7 [192.0.2.7] to 203.0.113.5:21',
      '2026-11-22 13:41:03,121 h proftpd[9] h (192.0.2.7[192.0.2.7]): USER a: no such user found from 192.0.2.7 [192.0.2.7] to 203.0.113.5:21',
      '2026-11-22 13:41:03,122 h proftpd[9] h (192.0.2.7[192.0.2.7]): Maximum login attempts (2) exceeded, connection refused',
    ],
  ],
  [
    'dropbear: the end of a connection tells of its attempts once more',
    'dropbear',
    'aggressive',
    2,
    [
      "Nov 22 13:41:02 h dropbear[9]: Bad password attempt for 'root' from 192.0.2.7:60588",
      "Nov 22 13:41:03 h dropbear[9]: Bad password attempt for 'root' from 192.0.2.7:60588",
      "Nov 22 13:41:04 h dropbear[9]: Exit before auth from <192.0.2.7:60588>: (user 'root', 2 fails): Disconnect received",
    ],
  ],
]

for (const [what, name, mode, failures, lines] of logins) {
  test(what, async () => {
    const matches = scannerOf(await shippedFilter(name), mode)(lines.join('\n'))
    const counted = createSessions().merge(matches)
    assert.is(
      counted.reduce((sum, { attempts }) => sum + attempts, 0),
      failures,
    )
    for (const { address } of matches) assert.is(address, '192.0.2.7')
  })
}

test.run()
