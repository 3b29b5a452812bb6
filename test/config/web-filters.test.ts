/**
 * The filters of the web against peers who know them: every field that a peer chooses is made of pieces of the
 * service's own lines, written as the service writes it, and nobody but the peer may be found.
 */
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import type { Match } from '../../core/events.ts'
import { suite } from '../suite.ts'
import { scannerOf, shippedFilter } from './scan-text.ts'
import {
  apacheAccess,
  apacheError,
  apacheEscaped,
  caddy,
  clf,
  date,
  goAddress,
  head,
  json,
  nextcloud,
  nginxAccess,
  nginxError,
  oneLine,
  traefik,
  userOf,
  type Fields,
} from './written-lines.ts'

const test = suite('filters of the web')

const pieces = [
  ...'203.0.113.9|2001:db8::9|203.0.113.9:80|[client 203.0.113.9:80]|[client 203.0.113.9]|, client: 203.0.113.9|, server: _'.split(
    '|',
  ),
  ...', request: "GET /pma/ HTTP/1.1"|, host: "h"|, referrer: "|" failed (2: No such file or directory)|": password mismatch'.split(
    '|',
  ),
  ...'" was not found in "/f"|user "x|access forbidden by rule|directory index of "/x/" is forbidden|limiting requests'.split(
    '|',
  ),
  ...'" 404 1 "-"|" 400 0|" 401 1 "-" "-"|- joe [22/Nov/2026:13:41:02 +0000] "|GET /wp-login.php HTTP/1.1|POST /wp-login.php'.split(
    '|',
  ),
  ...' IP: 203.0.113.9| username: | from 203.0.113.9| from 203.0.113.9. AUTHENTICATE PLAIN: x| ip=203.0.113.9| (mysql-denied)'.split(
    '|',
  ),
  ...'","remoteAddr":"203.0.113.9|"message":"Login failed: |"status":401,|"Authorization":[|"ClientHost":"203.0.113.9"'.split(
    '|',
  ),
  ...'web1 nginx[1]: | not found: /|AH01618: user x not found: /|File does not exist: /pma|script not found|ModSecurity: Access denied with code 403'.split(
    '|',
  ),
  ...'sqlmap|() {|?a=http://x/y.php|\\|"|\'|\n|\t|[|]|{|}| |, |: |é|<|>|/|?|%22|x'.split('|'),
]
const text = fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((some) => some.join(''))
const word = text.map((one) => one.replaceAll(/\s/g, ''))
const peer = fc.constantFrom('192.0.2.7', '2001:db8::7')

/** Lines of each filter, some of which must be found: `true`. */
const lines: Readonly<Record<string, (fields: Fields) => [line: string, found: boolean][]>> = {
  'nginx-http-auth': ({ address, user, path, referrer, agent }) => [
    [nginxAccess(401, { address, user: `x${user}`, path, referrer, agent }), true],
    [nginxAccess(404, { address, user, path, referrer, agent }), false],
    [nginxError(`user "${userOf(user)}": password mismatch`, address, path, referrer), false],
    [nginxError(`user "${userOf(user)}" was not found in "/etc/nginx/.htpasswd"`, address, path, referrer), false],
    [nginxError(`open() "/var/www/${path}" failed (2: No such file or directory)`, address, path, referrer), false],
  ],
  'nginx-botsearch': ({ path, referrer, ...more }) => [
    [nginxAccess(404, { ...more, path: `wp-login.php?${path}`, referrer }), true],
    [
      nginxError(`open() "/var/www/${path}" failed (2: No such file or directory)`, more.address, path, referrer),
      false,
    ],
  ],
  'nginx-bad-request': (fields) => [
    [nginxAccess(400, fields), true],
    [nginxAccess(200, fields), false],
  ],
  'nginx-limit-req': ({ address, path, referrer }) => [
    [nginxError('limiting requests, excess: 1.852 by zone "one"', address, path, referrer), true],
    [nginxError(`open() "/var/www/${path}" failed (2: No such file or directory)`, address, path, referrer), false],
  ],
  'nginx-forbidden': ({ address, path, referrer }) => [
    [nginxError('access forbidden by rule', address, path, referrer), true],
    [nginxError(`directory index of "/var/www/${path}/" is forbidden`, address, path, referrer), false],
    [nginxError(`open() "/var/www/${path}" failed (2: No such file or directory)`, address, path, referrer), false],
  ],
  'apache-auth': ({ address, user, path, referrer }) => [
    [apacheError(`AH01618: user ${userOf(user)} not found: /${path}`, address, referrer), true],
    [
      apacheError(
        `AH01617: user ${userOf(user)}: authentication failure for "/${path}": Password Mismatch`,
        address,
        referrer,
      ),
      true,
    ],
    [apacheError(`AH00128: File does not exist: /var/www/${path}`, address, referrer), false],
  ],
  'apache-botsearch': ({ address, path, referrer, ...more }) => [
    [apacheAccess(404, { ...more, address, referrer, path: `.env?${path}` }), true],
    [apacheError(`AH00128: File does not exist: /var/www/${path}`, address, referrer), false],
    [
      apacheError(`AH02811: stderr from /var/www/${path}: script not found or unable to stat`, address, referrer),
      false,
    ],
  ],
  'apache-noscript': ({ address, path, referrer }) => [
    [apacheError(`AH02811: stderr from /var/www/${path}: script not found or unable to stat`, address, referrer), true],
    [apacheError(`AH00128: File does not exist: /var/www/${path}`, address, referrer), false],
  ],
  'apache-overflows': ({ address, path, referrer }) => [
    [apacheError(`AH00135: Invalid method in request ${path}`, address, referrer), true],
  ],
  'apache-modsecurity': ({ address, path, referrer }) => [
    [
      apacheError(
        `[client ${address}] ModSecurity: Access denied with code 403 (phase 2). Pattern match "${path}"`,
        address,
        referrer,
      ),
      true,
    ],
    [apacheError(`AH00128: File does not exist: /var/www/${path}`, address, referrer), false],
  ],
  'apache-badbots': (fields) => [
    [apacheAccess(200, { ...fields, agent: `sqlmap${fields.agent}` }), true],
    [apacheAccess(200, fields), false],
  ],
  'apache-shellshock': (fields) => [[apacheAccess(200, { ...fields, agent: `() {${fields.agent}` }), true]],
  'php-url-fopen': (fields) => [[apacheAccess(200, fields), false]],
  wordpress: ({ path, ...more }) => [
    [
      apacheAccess(200, { ...more, path: `wp-login.php?${path}` }).replace(
        ' "GET /wp-login.php?',
        ' "POST /wp-login.php?',
      ),
      true,
    ],
    [
      nginxAccess(200, { ...more, path: `wp-login.php?${path}` }).replace(
        ' "GET /wp-login.php?',
        ' "POST /wp-login.php?',
      ),
      true,
    ],
    [`${head} wordpress(x)[1]: Authentication failure for ${oneLine(more.user)} from ${more.address}`, true],
  ],
  'haproxy-http-auth': ({ address, path, agent }) => [
    [
      `${head} haproxy[7]: ${address}:443 ${clf} main main/<NOSRV> 0/-1/-1/-1/0 401 2 - - PR-- 0/0/0/0/0 0/0 {${oneLine(agent)}} "GET /${path} HTTP/1.1"`,
      true,
    ],
  ],
  'traefik-auth': ({ address, user, path, referrer, agent }) => [
    [traefik(address, `x${user}`, path, 401), true],
    [traefik(address, user, path, 200), false],
    [
      `${address} - x${apacheEscaped(user)} ${clf} "GET /${path} HTTP/2.0" 200 17 ${json(referrer)} ${json(agent)} 72 "x" "-" 0ms`,
      false,
    ],
  ],
  caddy: ({ address, path, agent }) => [
    [caddy(address, path, { Authorization: ['REDACTED'], 'User-Agent': [agent] }, 401), true],
    [caddy(address, path, { 'User-Agent': [agent] }, 401), false],
    [caddy(address, path, { Authorization: ['REDACTED'], 'User-Agent': [agent] }, 200), false],
  ],
  'lighttpd-auth': ({ address, user, path }) => [
    [
      `2026-11-22 13:41:02: (mod_auth.c.850) password doesn't match for /${oneLine(path)} username: ${oneLine(userOf(user))} IP: ${address}`,
      true,
    ],
  ],
  'phpmyadmin-syslog': ({ address, user, referrer }) => [
    [`${head} phpMyAdmin[1]: user denied: ${oneLine(user)} (mysql-denied) from ${address}`, true],
    [apacheError(`user denied: ${apacheEscaped(user)} (mysql-denied) from ${address}`, address, referrer), true],
    [`${head} phpMyAdmin[1]: user authenticated: ${oneLine(user)} (ok) from ${address}`, false],
  ],
  'drupal-auth': ({ address, user, path, referrer }) => [
    [
      `${head} drupal: https://h|1|user|${address}|https://h/${path}|${oneLine(referrer)}|0||Login attempt failed for ${oneLine(user)}.`,
      false,
    ],
  ],
  'roundcube-auth': ({ address, user }) => [
    [
      `${head} roundcube: IMAP Error: Login failed for ${oneLine(user)} from ${address}. AUTHENTICATE PLAIN: Authentication failed. in /usr/x.php on line 2 (POST /?_task=login)`,
      false,
    ],
    [`[22-Nov-2026 13:41:02 +0000]: Failed login for ${oneLine(user)} from ${address} in session abc (error: 0)`, true],
  ],
  nextcloud: ({ address, user, path, agent }) => [
    [nextcloud(address, `Login failed: ${user} (Remote IP: ${address})`, path, agent), true],
    [nextcloud(address, path, user, agent), false],
  ],
  gitlab: ({ address, user }) => [
    [
      json({
        severity: 'INFO',
        time: '2026-11-22T13:41:02.667Z',
        message: `Failed Login: username=${user} ip=${address}`,
      }),
      true,
    ],
    [json({ severity: 'INFO', 'meta.user': user, message: `Successful Login: username=${user} ip=${address}` }), false],
  ],
  gitea: ({ address, user }) => [
    [
      `${date} routers/web/auth/auth.go:203:SignInPost() [I] Failed authentication attempt for ${oneLine(user)} from ${goAddress(address)}: user does not exist [uid: 0, name: ${oneLine(user)}]`,
      false,
    ],
  ],
  grafana: ({ address, path, referrer }) => [
    [
      `logger=context userId=0 orgId=0 uname= t=2026-11-22T13:41:02.28Z level=info msg="Request Completed" method=POST path=${json(`/${path}`)} status=401 remote_addr=${address} time_ms=1 size=94 referer=${json(referrer)} handler=/login errorReason=Unauthorized errorMessageID=password-auth.failed error="x"`,
      true,
    ],
  ],
  vaultwarden: ({ address, user }) => [
    [
      `[2026-11-22 13:41:02.123][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: ${address}. Username: ${oneLine(user)}.`,
      true,
    ],
  ],
  proxmox: ({ address, user }) => [
    [
      `${head} pvedaemon[1]: authentication failure; rhost=${address} user=${oneLine(user)} msg=no such user ('${oneLine(user)}')`,
      true,
    ],
  ],
  monit: ({ address, user }) => [
    [`${head} monit[1]: HttpRequest: access denied -- client ${address}: unknown user 'x${oneLine(user)}'`, true],
  ],
  squid: ({ address, path }) => [
    [`1795354862.000      4 ${address} TCP_DENIED/403 4099 GET http://${path} - HIER_NONE/- text/html`, true],
    [
      `1795354862.000      4 ${address} TCP_MISS/200 4099 GET http://${path} - HIER_DIRECT/198.51.100.80 text/html`,
      false,
    ],
  ],
}

for (const [name, make] of Object.entries(lines)) {
  test(`${name}: whatever a peer writes, only he is found`, async () => {
    const filter = await shippedFilter(name)
    const scans = Object.keys(filter.modes).map((mode) => scannerOf(filter, mode))
    const normal = scannerOf(filter, 'normal')
    const fields = fc.record({ address: peer, user: text, path: word, referrer: text, agent: text })
    fc.assert(
      fc.property(fields, (some) => {
        for (const [line, found] of make(some)) {
          for (const scan of scans) for (const match of scan(line)) assert.is(match.address, some.address, line)
          if (found) assert.ok(hasMatch(normal(line)), `missed: ${line}`)
        }
      }),
      { numRuns: 300 },
    )
  })
}

test('nginx-botsearch and apache-botsearch look for the same', async () => {
  const [nginx, apache] = await Promise.all(['nginx-botsearch', 'apache-botsearch'].map(shippedFilter))
  assert.equal(
    nginx?.failregex.map(({ text: one }) => one),
    apache?.failregex.slice(0, 2).map(({ text: one }) => one),
  )
})

test.run()

function hasMatch(matches: readonly Match[]): boolean {
  return matches.length > 0
}
