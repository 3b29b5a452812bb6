import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { defaultPlaces, packageRoot } from '../settings/places.ts'
import type { HostFacts } from './host-facts.ts'
import type { SetupOptions } from './setup.ts'

/** What there is to do after setup: commands, or sentences with one, in their order. */
export function nextSteps({
  config,
  written,
  facts,
  existed,
  asked,
}: {
  readonly config: string
  readonly written: string | null
  readonly facts: HostFacts
  readonly existed: boolean
  readonly asked: SetupOptions
}): readonly string[] {
  const usual = join(defaultPlaces().configFolders[0] ?? '', 'bailiff.yaml')
  const named = config === usual ? '' : ` --config ${config}`
  if (written !== null && written !== config) return [`diff ${config} ${written}`]
  if (written === null && !existed) return asked.dryRun ? [`bailiff setup${named}    writes it after a yes`] : []
  const running = facts.banPrograms.filter((each) => each.running)
  const first =
    running.length === 0
      ? []
      : [
          `bailiff run --observe${named}    counts and tells, and bans nobody: safe beside ${running.map(({ name }) => name).join(' and ')}`,
          ...running.map(({ switchOff, name }) => `${switchOff}    when you change over from ${name}`),
        ]
  return [`bailiff doctor${named}    proves that bans bite here`, ...first, ...startSteps(facts, named)]
}

/** As a service where systemd runs and all is in its usual place; by hand otherwise. */
function startSteps({ systemd }: HostFacts, named: string): string[] {
  const byHand = `bailiff run${named}    watches and bans until stopped`
  const units = join(packageRoot, 'config/systemd')
  if (!systemd || named !== '' || process.geteuid?.() !== 0) return [byHand]
  if (existsSync('/etc/systemd/system/bailiff.service'))
    return ['systemctl enable --now bailiff-firewall.socket bailiff']
  const modules = dirname(join(packageRoot, '.'))
  if (!modules.endsWith('/node_modules'))
    return [byHand, `README.md in ${join(packageRoot, '.')} says how to make it a service`]
  return [
    `install -m 644 ${units}/sysusers.conf /etc/sysusers.d/bailiff.conf && systemd-sysusers`,
    `for unit in ${units}/bailiff*; do sed "s#/usr/local/lib/node_modules#${modules}#g; s#/usr/bin/node#${process.execPath}#g" "$unit" > "/etc/systemd/system/$(basename "$unit")"; done`,
    'systemctl daemon-reload && systemctl enable --now bailiff-firewall.socket bailiff',
  ]
}
