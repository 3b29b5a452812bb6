/** Turns a jail of a Fail2ban tree into one of the native configuration. */
import { isHostName, parsePrefix } from '../../address.ts'
import { BailiffError, describeError } from '../../errors.ts'
import { isFirewallAction, portsOf } from '../running/jail-ports.ts'
import { sourcesOf, type TreeSource } from '../running/jail-sources.ts'
import type { TreeJail } from '../tree/tree-jail.ts'
import { chooseFilter } from './import-filter.ts'
import type { ImportedJail, Lost, NativeMap, NativeValue, OwnFilter } from './imported.ts'
import { durationText, offsetText, withMaskLength } from './native-text.ts'

/** `ports` says what is wrong with ports by number or name; null: nothing. */
export interface ImportSurroundings {
  readonly folder: string
  readonly ours: ReadonlyMap<string, OwnFilter>
  readonly ports: (words: readonly string[]) => string | null
}

/** The jail; where it cannot be one of ours, what is lost with it. */
export function importJail(jail: TreeJail, around: ImportSurroundings): ImportedJail | readonly Lost[] {
  const chosen = chooseFilter(around.folder, jail, around.ours)
  if (chosen.kind === 'none') return chosen.lost
  const lost = [...chosen.lost]
  const lose = (what: string, why: string) => lost.push({ jail: jail.name, what, why })
  const map: NativeMap = {}
  if (chosen.kind === 'ours') {
    if (chosen.mode !== 'normal') map.filter = { name: chosen.name, mode: chosen.mode }
    else if (chosen.name !== jail.name) map.filter = chosen.name
  }
  const countsBans = chosen.kind === 'ours' && around.ours.get(chosen.name)?.countsBans === true
  if (!countsBans) Object.assign(map, sourceOption(jail, lose))
  Object.assign(map, portOptions(jail, around, lose))
  map.maxretry = Math.max(1, Math.round(jail.maxretry))
  map.findtime = durationText(jail.findtime)
  map.bantime = bantimeOption(jail, lose)
  Object.assign(map, ignoreOption(jail, lose), countsBans ? {} : zoneOption(jail, lose))
  loseRest(jail, lose)
  return { name: jail.name, map, filter: chosen.kind === 'written' ? chosen.filter : null, lost }
}

type Lose = (what: string, why: string) => void

function sourceOption(jail: TreeJail, lose: Lose): NativeMap {
  try {
    const sources = sourcesOf(jail, (option) => ({ file: '', option })).map((source) => nativeSource(source))
    if (jail.logpaths.some(({ tail }) => tail))
      lose('logpath … tail', 'a log that is new to it is read from its beginning')
    const flat = sources.flat()
    return flat.length === 1 && flat[0] !== undefined ? { source: flat[0] } : { sources: flat }
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    lose('logpath', describeError(error))
    return {}
  }
}

function nativeSource({ plugin, options }: TreeSource): NativeValue[] {
  if (plugin === 'journal') {
    const { form: _, ...given } = options
    return [Object.keys(given).length === 0 ? 'journal' : { journal: given as NativeMap }]
  }
  return [...options.path]
}

function portOptions(jail: TreeJail, around: ImportSurroundings, lose: Lose): NativeMap {
  const { ports, protocol, odd } = portsOf(jail)
  for (const what of odd) lose('protocol', what)
  if (ports.length === 0) return { ports: 'all' }
  const wrong = around.ports(ports)
  if (wrong !== null) {
    lose(`port = ${ports.join(',')}`, `bans cover all traffic, since ${wrong}`)
    return { ports: 'all' }
  }
  const words = ports.map((port) => (/^\d+$/.test(port) ? Number(port) : port))
  return { ports: words, ...(protocol === 'tcp' ? {} : { protocol }) }
}

function bantimeOption({ bantime, bantimeExtra }: TreeJail, lose: Lose): NativeValue {
  const base = bantime < 0 ? 'permanent' : durationText(bantime)
  if (!bantimeExtra.increment || bantime < 0) return base
  const { factor, formula, multipliers, maxtime, rndtime, overalljails } = bantimeExtra
  if (formula !== null) lose('bantime.formula', 'each ban is twice as long as the one before')
  if (multipliers !== null) lose('bantime.multipliers', 'each ban is twice as long as the one before')
  if (factor !== null && factor.trim() !== '1')
    lose('bantime.factor', 'here a factor says how many times longer each ban is than the one before: 2')
  if (rndtime !== null) lose('bantime.rndtime', 'bans have no random part')
  if (overalljails) lose('bantime.overalljails', 'only earlier bans of the same jail make a ban longer')
  const max = maxtime === null || maxtime < bantime ? 'permanent' : durationText(maxtime)
  return { base, increment: 'on', factor: 2, max }
}

function ignoreOption({ ignoreip, ignorecommand }: TreeJail, lose: Lose): NativeMap {
  const words = ignoreip.map(withMaskLength)
  const taken = words.filter((word) => parsePrefix(word) !== null || isHostName(word))
  for (const word of words.filter((each) => !taken.includes(each)))
    lose(
      `ignoreip ${word}`,
      word.startsWith('file:') ? 'write what the file has into ignoreip' : 'it is no address, network or host name',
    )
  if (ignorecommand) lose('ignorecommand', 'programs are not asked whom to ignore; write whom into ignoreip')
  return taken.length === 0 ? {} : { ignoreip: taken }
}

function zoneOption({ logtimezone }: TreeJail, lose: Lose): NativeMap {
  if (logtimezone === null) return {}
  const timezone = offsetText(logtimezone)
  if (timezone !== null) return { timezone }
  lose(`logtimezone = ${logtimezone}`, 'write the name of the zone, such as Europe/Berlin, as timezone')
  return {}
}

function loseRest({ actions, filter }: TreeJail, lose: Lose): void {
  for (const { name, file, python } of actions.filter((action) => !isFirewallAction(action)))
    lose(
      `action ${name}`,
      `${python ? 'Python' : 'shell'} actions (action.d/${file}) do not run here; "also: [{ command: … }]" runs a program at each ban, and a notifier tells people`,
    )
  const usedns = filter?.texts.usedns ?? 'no'
  const named = filter?.texts.failregex.some((text) => /<HOST>|<DNS>|<F-DNS>/.test(text)) ?? false
  if (named && (usedns === 'yes' || usedns === 'raw'))
    lose(`usedns = ${usedns}`, 'host names in lines are never looked up, and nobody is banned for them')
}
