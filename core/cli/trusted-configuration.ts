/** What root takes from a configuration that others than root may change. */
import type { Stats } from 'node:fs'
import { dirname } from 'node:path'
import { BailiffError } from '../errors.ts'
import { describeHand, foreignHand, type ForeignHand } from '../rights/foreign-hands.ts'
import type { Settings } from '../settings/load-settings.ts'
import { builtInFilters } from '../settings/places.ts'

/** A file of the configuration, and who may change it or what it is reached by. */
export interface ForeignFile {
  readonly file: string
  readonly hand: ForeignHand
}

/** The first file of the configuration that others than root may change; null: there is none. */
export function foreignFile({ files }: Settings): ForeignFile | null {
  const looked = new Map<string, Stats | undefined>()
  for (const file of files) {
    // Who may change those of the package may change the program.
    const hand = dirname(file) === builtInFilters ? null : foreignHand(file, looked)
    if (hand !== null) return { file, hand }
  }
  return null
}

/**
 * Throws a `BailiffError` where others than root may change a configuration that says `user: root`: it
 * names programs and plugins, and they would be root's.
 */
export function refuseToStayRoot(settings: Settings): void {
  const foreign = foreignFile(settings)
  if (foreign !== null)
    throw refused('the agent does not stay root for a configuration that others may change', foreign)
}

/**
 * Throws a `BailiffError` where others than root may change a configuration that says whose rights the
 * agent and its helper get, other than the usual users `usual`: any user and any group could stand there.
 */
export function refuseChosenRights(settings: Settings, foreign: ForeignFile, usual: readonly string[]): void {
  const { user, groups, firewallUser } = settings
  const chosen = [user, firewallUser].some((name) => name !== null && !usual.includes(name)) || groups !== null
  if (!chosen) return
  throw refused(
    '"user", "groups" and "firewall.user" are not taken from a configuration that others may change',
    foreign,
  )
}

function refused(why: string, { file, hand }: ForeignFile): BailiffError {
  const near = [file, dirname(file)].includes(hand.path)
  const mend = near
    ? `chown root: ${hand.path} && chmod go-w ${hand.path}`
    : 'keep it below folders that only root may change, such as /etc/bailiff'
  return new BailiffError('config', `${why}: ${describeHand(hand)}`, { where: { file }, hint: mend })
}
