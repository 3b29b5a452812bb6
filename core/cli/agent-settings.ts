import { resolve } from 'node:path'
import { loadSettings, usualSettings, type Settings } from '../settings/load-settings.ts'
import { fileLog } from '../settings/own-log.ts'
import { defaultPlaces, type Places } from '../settings/places.ts'

/** What an agent runs on, as options of a command name it. */
export interface ConfigurationChoice {
  /** A configuration of our own. */
  readonly config?: string
  /** The folder of one of Fail2ban's. */
  readonly fail2ban?: string
  readonly fail2banLog?: string
  readonly observe?: true
}

/**
 * The settings of an agent. Of a Fail2ban configuration the jails are taken; what concerns the agent itself, and jails
 * beside them, is in the configuration of our own where one is named, else as usual. Throws as `loadSettings` does.
 */
export async function agentSettings(choice: ConfigurationChoice, places: Places = defaultPlaces()): Promise<Settings> {
  const { config, fail2ban, fail2banLog, observe } = choice
  const own = () => loadSettings(config === undefined ? { places } : { file: config, places })
  const settings = fail2ban === undefined ? await own() : await ofTree(resolve(fail2ban))
  if (fail2banLog === undefined) return settings
  return { ...settings, ownLog: fileLog(resolve(fail2banLog)) }

  async function ofTree(folder: string): Promise<Settings> {
    // The reader is large, and other agents need none of it.
    const { addFail2banJails } = await import('../fail2ban-settings.ts')
    const base = config === undefined ? await usualSettings(folder, places) : await own()
    return addFail2banJails(folder, base, observe === true)
  }
}
