import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const folders = new Set<string>()
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A small configuration of Fail2ban that was written for a test; what `files` has comes beside or over it. */
export function writeTree(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-tree-'))
  folders.add(folder)
  for (const [name, text] of Object.entries({ ...usual(folder), ...files })) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text.replaceAll('FOLDER', folder))
  }
  return folder
}

/** Two jails with a filter each, whose logs are there. */
function usual(folder: string): Record<string, string> {
  return {
    'fail2ban.conf': `[Definition]\nloglevel = INFO\nlogtarget = ${folder}/own.log\ndbpurgeage = 1d\n`,
    'jail.conf': `[DEFAULT]
findtime = 10m
maxretry = 3
bantime = 1h
ignoreself = false
backend = polling
port = 0:65535
protocol = tcp
filter = %(__name__)s
banaction = iptables-multiport
action = %(banaction)s[port="%(port)s", protocol="%(protocol)s"]
`,
    'jail.local': `[door]
enabled = true
port = ssh,8022
logpath = ${folder}/door.log

[gate]
enabled = true
port = http
protocol = udp
maxretry = 2
logpath = ${folder}/gate.log
`,
    'filter.d/door.conf': '[Definition]\nfailregex = ^ door: wrong key of <HOST>$\n',
    'filter.d/gate.conf': '[Definition]\nfailregex = ^ gate: <HOST> was turned away$\nignoreregex = closed\n',
    'action.d/iptables-multiport.conf': '[Definition]\nactionban = true <ip> <port>\n',
    'own.log': '',
    'door.log': '',
    'gate.log': '',
  }
}
