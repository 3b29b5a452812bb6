import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { mustSay, type Command, type Job, type Peer } from './peer.ts'

const [program, manager] = ['/usr/bin/crowdsec', '/usr/bin/cscli']
const hub = '/usr/share/crowdsec/hub'
const patterns = '/etc/crowdsec/patterns'
/** What its collection for sshd names, and what that needs: from its hub, as Debian packages it. */
const parts = [
  'parsers/s00-raw/crowdsecurity/syslog-logs.yaml',
  'parsers/s01-parse/crowdsecurity/sshd-logs.yaml',
  'parsers/s02-enrich/crowdsecurity/dateparse-enrich.yaml',
  'scenarios/crowdsecurity/ssh-bf.yaml',
]
const address = '127.0.0.1:18080'

/**
 * CrowdSec over a stored log with its own parser and scenario, decisions in a database of its own; it needs its own API for
 * that, here on loopback. It tells no number of lines: what is checked is that it read to the end.
 */
export const crowdsec: Peer = {
  name: 'CrowdSec',
  megabytes: 3,
  command({ task, filter, log }: Job, folder: string): Command | null {
    const needed = [program, manager, patterns, ...parts.map((part) => join(hub, part))]
    if (task !== 'whole path' || filter !== 'sshd' || !needed.every((path) => existsSync(path))) return null
    const config = configured(join(folder, 'crowdsec'))
    return {
      words: ['/bin/sh', '-c', `exec ${program} -c "$1" -dsn "file://$2" -type syslog 2>&1`, 'crowdsec', config, log],
      wrong: mustSay('Acquisition is finished'),
    }
  },
}

/** Writes a configuration that touches nothing outside of the folder. */
function configured(folder: string): string {
  const config = join(folder, 'config.yaml')
  if (existsSync(config)) return config
  for (const part of parts) {
    const [kind = '', stage = ''] = part.split('/')
    const place = join(folder, kind, kind === 'parsers' ? stage : '')
    mkdirSync(place, { recursive: true })
    copyFileSync(join(hub, part), join(place, basename(part)))
  }
  cpSync(patterns, join(folder, 'patterns'), { recursive: true })
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'acquis.yaml'), '')
  writeFileSync(join(folder, 'simulation.yaml'), 'simulation: false\n')
  writeFileSync(
    join(folder, 'profiles.yaml'),
    `{ name: bench, filters: [Alert.GetScope() == "Ip"], decisions: [{ type: ban, duration: 1h }], on_success: break }\n`,
  )
  writeFileSync(
    config,
    `common: { daemonize: false, log_media: stdout, log_level: info, working_dir: . }
config_paths: { config_dir: ${folder}, data_dir: ${folder}/data, simulation_path: ${folder}/simulation.yaml, hub_dir: ${hub}, index_path: ${hub}/.index.json }
crowdsec_service: { acquisition_path: ${folder}/acquis.yaml, parser_routines: 1 }
db_config: { type: sqlite, db_path: ${folder}/data/crowdsec.db, log_level: warning }
prometheus: { enabled: false }
api:
  client: { credentials_path: ${folder}/credentials.yaml }
  server: { log_level: warning, listen_uri: "${address}", profiles_path: ${folder}/profiles.yaml }
`,
  )
  const credentials = ['--password', 'bench', '-f', `${folder}/credentials.yaml`, '--url', `http://${address}`]
  execFileSync(manager, ['-c', config, 'machines', 'add', 'bench', ...credentials], { stdio: 'ignore' })
  return config
}
