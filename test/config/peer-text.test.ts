/**
 * What a peer chooses (names, HELO, mail addresses, Call-IDs …) has nobody but the peer banned: such a text
 * may be any mixture of what the service itself prints, with the address of somebody else in it.
 */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { FilterDefinition } from '../../core/settings/filter-file.ts'
import { suite } from '../suite.ts'
import { scannerOf, shippedFilter } from './scan-text.ts'

const test = suite('text of peers in shipped filters')

const [peer, victim] = ['192.0.2.7', '198.51.100.9']

/** Lines with `~` where the text of a peer stands; the same text at every place. `never`: what the service does not let in. */
const fields: readonly (readonly [filter: string, line: string, never?: RegExp])[] = [
  [
    'postfix',
    'h postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <~>: Relay access denied; from=<~> to=<~> proto=SMTP helo=<~>',
  ],
  ['postfix', 'h postfix/smtpd[1]: warning: unknown[192.0.2.7]: SASL ~ authentication failed: x, sasl_username=~'],
  ['postfix', 'h postfix/smtpd[1]: improper command pipelining after EHLO from unknown[192.0.2.7]: ~'],
  ['postfix', 'h postfix/smtpd[1]: disconnect from ~[192.0.2.7] ehlo=1 auth=0/1 commands=1/2', /[^\w.-]/g],
  [
    'postfix',
    'h postfix/cleanup[1]: 4A: warning: header Subject: ~ from unknown[192.0.2.7]; from=<~> to=<b@example.org> proto=ESMTP helo=<~>',
  ],
  ['postfix', 'h postfix/postscreen[1]: PREGREET 14 after 0.08 from [192.0.2.7]:59415: ~'],
  [
    'dovecot',
    'h dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<~>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.5, TLS, session=<abc>',
  ],
  [
    'dovecot',
    'h dovecot: pop3-login: Login aborted: Logged out (auth failed, 1 attempts in 3 secs) (auth_failed): user=<~>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.5, TLS',
  ],
  ['dovecot', 'h dovecot: auth: passwd-file(~,192.0.2.7,<abc>): Password mismatch'],
  ['dovecot', 'h dovecot: auth: passwd-file(carol,192.0.2.7,<abc>): Password mismatch (given password: ~)'],
  ['dovecot', 'h dovecot: auth(~,192.0.2.7,sasl:plain)<abc>: sql: Password mismatch'],
  ['dovecot', 'h dovecot: auth(carol,192.0.2.7,sasl:plain)<abc>: sql: Password mismatch (given password: ~)'],
  [
    'dovecot',
    'h auth: pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 tty=dovecot ruser=~ rhost=192.0.2.7',
  ],
  [
    'dovecot',
    'h auth: pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 tty=dovecot ruser=~ rhost=192.0.2.7  user=~',
  ],
  [
    'exim',
    'login authenticator failed for host7.example.com (~) [192.0.2.7]: 535 Incorrect authentication data (set_id=~)',
  ],
  ['exim', 'login authenticator failed for (pc7) [192.0.2.7]: 535 Incorrect authentication data (set_id=~)'],
  ['exim', 'H=(pc7) [192.0.2.7] U=~ F=<~> rejected RCPT <~>: relay not permitted'],
  [
    'exim',
    'H=host7.example.com (~) [192.0.2.7]:1 I=[203.0.113.5]:25 F=<~> rejected RCPT <b@example.net>: relay not permitted',
  ],
  ['exim', 'SMTP protocol error in "AUTH LOGIN" H=(~) [192.0.2.7] AUTH command used when not advertised'],
  ['exim', 'no MAIL in SMTP connection from (~) [192.0.2.7]:1 I=[203.0.113.5]:25 D=1s C=~'],
  ['exim', 'SMTP syntax error in "~" H=(~) [192.0.2.7] unrecognized command'],
  [
    'exim',
    'SMTP protocol error in "AUTH ~" H=(~) [192.0.2.7]:1 I=[203.0.113.5]:25 Ci=7 LOGIN authentication mechanism not supported',
  ],
  ['exim', 'SMTP protocol error in "AUTH ~" H=(pc7) [192.0.2.7] ~ authentication mechanism not supported', /\s/g],
  ['exim-spam', 'H=(~) [192.0.2.7] F=<~> rejected after DATA: ~'],
  [
    'exim',
    'SMTP protocol synchronization error (next input sent too soon: pipelining was not advertised): rejected "~" H=(pc7) [192.0.2.7] next input="~"',
  ],
  [
    'exim',
    'SMTP protocol synchronization error (next input sent too soon: pipelining was not advertised): rejected "RSET" H=(pc7) [192.0.2.7] next input="~"',
  ],
  ['exim', 'SMTP protocol error in "AUTH ~" H=(pc7) [192.0.2.7] AUTH command used when not advertised'],
  ['exim', 'SMTP call from (pc7) [192.0.2.7] dropped: too many syntax or protocol errors (last command was "~", NULL)'],
  ['exim', '1tEXAM-000000001aB-2cDe <= a@example.com H=host7.example.com [192.0.2.7] P=esmtp S=1024 T="~"'],
  ['exim', 'rejected EHLO from [192.0.2.7]: syntactically invalid argument(s): ~'],
  ['exim-spam', 'F=<~> H=(pc7) [192.0.2.7] P=smtp rejected by local_scan(): ~', /[<>]/g],
  ['exim-spam', 'H=(pc7) [192.0.2.7] F=<~> rejected RCPT <~>: found in dnsbl x'],
  [
    'exim-spam',
    '1VxHRO-000NiI-Ly SA: Action: silently tossed message: score=31.0 (scanned in 6/6 secs | Message-Id: ~). From <~> (host=host7.example.com [192.0.2.7]) for b@example.org',
  ],
  ['courier-auth', 'h imapd: LOGIN FAILED, user=~, ip=[::ffff:192.0.2.7], port=[40112]'],
  ['courier-smtp', 'h courieresmtpd: error,relay=::ffff:192.0.2.7,ident=~,from=<~>,to=<~>: 550 User unknown.'],
  ['courier-smtp', 'h courieresmtpd: error,relay=::ffff:192.0.2.7,msg="535 Authentication failed.",cmd: ~'],
  [
    'cyrus-imap',
    'h cyrus/imap[1]: badlogin: host7.example.com [192.0.2.7] plaintext ~ SASL(-13): authentication failure: checkpass failed',
  ],
  [
    'sendmail-auth',
    'h sendmail[1]: 06I02CNi016764: AUTH failure (~): authentication failure (-13) SASL(-13): user not found: user: ~@h, user=~, relay=host7.example.com [192.0.2.7]',
  ],
  [
    'sendmail-reject',
    'h sm-mta[1]: s1GNXHYB005133: ruleset=check_rcpt, arg1=<"~"@example.net>, relay=host7.example.com [192.0.2.7], reject=550 5.7.1 <"~"@example.net>... Relaying denied',
  ],
  [
    'sendmail-reject',
    'h sm-mta[1]: s1GNXHYB005133: ruleset=check_rcpt, arg1=<~>, relay=[192.0.2.7], reject=550 5.7.1 <~>... Relaying denied',
    />/g,
  ],
  ['sendmail-reject', 'h sm-mta[1]: s1GNXHYB005133: [192.0.2.7]: VRFY ~ [rejected]'],
  [
    'sendmail-reject',
    'h sm-mta[1]: s1GNXHYB005133: from=<~>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=h7.example.com [192.0.2.7]',
  ],
  ['vsftpd', '[pid 1] [~] FAIL LOGIN: Client "192.0.2.7"'],
  ['vsftpd', '[pid 1] [ftp] OK LOGIN: Client "192.0.2.7", anon password "~"'],
  [
    'vsftpd',
    'h vsftpd: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=~ rhost=192.0.2.7  user=~',
  ],
  [
    'vsftpd',
    'h vsftpd: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=~ rhost=192.0.2.7',
  ],
  [
    'proftpd',
    'h proftpd[1] h.example.org (host7.example.com[192.0.2.7]): USER ~: no such user found from host7.example.com [192.0.2.7] to 203.0.113.5:21',
  ],
  [
    'proftpd',
    'h proftpd[1]: h.example.org (host7.example.com[192.0.2.7]) - USER ~ (Login failed): Incorrect password.',
  ],
  ['pure-ftpd', 'h pure-ftpd: (?@192.0.2.7) [WARNING] Authentication failed for user [~]'],
  ['named-refused', "h named[1]: client @0x7f 192.0.2.7#53 (~): query (cache) '~/A/IN' denied"],
  [
    'ejabberd-auth',
    '[info] <0.9.0>@ejabberd_c2s:handle_auth_failure/4:540 (tls|<0.9.0>) Failed c2s PLAIN authentication for ~@example.org from ::ffff:192.0.2.7: Invalid username or password',
  ],
  ['openvpn', "192.0.2.7:40112 SENT CONTROL [~]: 'AUTH_FAILED' (status=1)"],
  ['openvpn', "192.0.2.7:40112 TLS: Username/Password authentication succeeded for username '~'"],
  ['dropbear', "h dropbear[1]: Bad password attempt for '~' from 192.0.2.7:60588"],
  [
    'dropbear',
    "h dropbear[1]: Exit before auth from <192.0.2.7:60588>: (user '~', 3 fails): Max auth tries reached - user '~'",
  ],
  [
    'pam-generic',
    'h daemon[1]: pam_unix(x:auth): authentication failure; logname= uid=0 euid=0 tty=x ruser=~ rhost=192.0.2.7',
  ],
  [
    'pam-generic',
    'h daemon[1]: pam_unix(x:auth): authentication failure; logname= uid=0 euid=0 tty=x ruser=~ rhost=192.0.2.7  user=~',
  ],
  [
    'pam-generic',
    'h daemon[1]: pam_unix(x:auth): authentication failure; logname= uid=0 euid=0 tty=x ruser= rhost=192.0.2.7  user=~',
  ],
  ['asterisk', "NOTICE[1] chan_sip.c: Registration from '~' failed for '192.0.2.7:5060' - Wrong password"],
  [
    'asterisk',
    "NOTICE[1] chan_sip.c: Call from '' (192.0.2.7:10836) to extension '~' rejected because extension not found in context 'default'.",
  ],
  [
    'asterisk',
    "NOTICE[1] res_pjsip/pjsip_distributor.c: Request 'INVITE' from '~' failed for '192.0.2.7:48336' (callid: ~) - No matching endpoint found",
  ],
  [
    'asterisk',
    "NOTICE[1] res_pjsip/pjsip_distributor.c: Request 'INVITE' from '<sip:x@y>' failed for '192.0.2.7:48336' (callid: ~) - No matching endpoint found",
  ],
  [
    'asterisk',
    "NOTICE[1] res_pjsip/pjsip_distributor.c: Request 'INVITE' from '~' failed for '192.0.2.7:48336' (callid: 1) - No matching endpoint found",
  ],
  [
    'asterisk',
    'SECURITY[1] res_security_log.c: SecurityEvent="ChallengeResponseFailed",EventTV="1",Severity="Error",Service="PJSIP",EventVersion="1",AccountID="~",SessionID="~",LocalAddress="IPV4/UDP/203.0.113.5/5060",RemoteAddress="IPV4/UDP/192.0.2.7/5060",Challenge="1",Response="~",ExpectedResponse="~"',
  ],
  [
    'asterisk',
    'SECURITY[1] res_security_log.c: SecurityEvent="InvalidAccountID",EventTV="1",Severity="Error",Service="PJSIP",EventVersion="1",AccountID="~",SessionID="~",LocalAddress="IPV4/UDP/203.0.113.5/5060",RemoteAddress="IPV4/UDP/192.0.2.7/5060"',
  ],
  ['asterisk', "NOTICE[1] manager.c: 192.0.2.7 tried to authenticate with nonexistent user '~'"],
  ['freeswitch', "[WARNING] sofia_reg.c:2531 Can't find user [~] from 192.0.2.7"],
  ['mysqld-auth', "4644 [Warning] Access denied for user '~'@'192.0.2.7' (using password: YES)"],
  ['postgresql', '[42] ~@~ FATAL:  no pg_hba.conf entry for host "192.0.2.7", user "~", database "~", no encryption'],
  ['postgresql', '[42]: [3-1] user=~,db=~,app=~,client=192.0.2.7 FATAL:  password authentication failed for user "~"'],
  ['postgresql', '[42] 192.0.2.7 ~@~ FATAL:  password authentication failed for user "~"'],
  ['postgresql', ':192.0.2.7(4711):~@~:[42]:FATAL:  password authentication failed for user "~"'],
  ['postgresql', ':~@postgres:[42]:FATAL:  password authentication failed for user "~"'],
  [
    'mongodb-auth',
    'I ACCESS   [conn5] SASL SCRAM-SHA-1 authentication failed for ~ on ~ from client 192.0.2.7:53276 ; UserNotFound: Could not find user ~@~',
  ],
  [
    'mongodb-auth',
    '{"s":"I","c":"ACCESS","id":20249,"ctx":"conn5","msg":"Authentication failed","attr":{"principalName":"~","authenticationDatabase":"~","remote":"192.0.2.7:53276","error":"~"}}',
    /"/g,
  ],
]

for (const name of new Set(fields.map(([filter]) => filter))) {
  test(`${name}: whatever a peer calls itself, it bans nobody else`, async () => {
    const filter = await shippedFilter(name)
    const scan = scannerOf(filter, Object.keys(filter.modes).at(-1) ?? 'normal')
    const line = fc.constantFrom(...fields.filter(([one]) => one === name))
    fc.assert(
      fc.property(line, peerText(filter), ([, template, never], text) => {
        const put = never === undefined ? text : text.replace(never, '')
        const whole = `2026-11-22T13:41:02+00:00 ${template.replaceAll('~', () => put)}`
        for (const { address } of scan(whole)) assert.is(address, peer, whole)
      }),
      { seed: 5, numRuns: 3000 },
    )
  })
}

test.run()

/** Pieces of the filter's own samples, told of the victim, and what stands between them. */
function peerText(filter: FilterDefinition): fc.Arbitrary<string> {
  const { match, hostile } = filter.samples
  const told = [...match.map(({ line }) => line), ...hostile.map(({ line }) => line)].map((line) =>
    line.replace(/\d{1,3}(?:\.\d{1,3}){3}|2001:db8::\d+/g, victim),
  )
  const between = fc.constantFrom(...' |"|\'|<|>|(|)|[|]|,|:|=|;|\\|x|  |)>|"]|}|, |: |> '.split('|'), victim)
  const piece = fc
    .tuple(fc.constantFrom(...told), fc.nat(), fc.nat())
    .map(([line, from, length]) => cutAtWords(line, from, length))
  return fc.array(fc.oneof(piece, piece, between), { minLength: 1, maxLength: 5 }).map((some) => some.join(''))
}

/** A piece of a line from the begin of one of its words to the end of another. */
function cutAtWords(line: string, from: number, length: number): string {
  const words = line.split(/(?<=[ ,:;"'[\]()<>=])/)
  const start = from % words.length
  return words.slice(start, start + 1 + (length % (words.length - start))).join('')
}
