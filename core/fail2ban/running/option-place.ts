import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Where } from '../../errors.ts'

/** Lines by section and option (lower case), of one file; of an option that stands twice the last. */
type Places = ReadonlyMap<string, number>

/** Where options of a Fail2ban configuration stand. To be asked when something is wrong: it reads the files again, each once. */
export class OptionPlaces {
  readonly #folder: string
  readonly #files = new Map<string, Places>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Where an option of a jail stands, as Fail2ban would read it last; where no file says it, the folder. */
  ofJail(jail: string, option: string): Where {
    const named = `[${jail}] ${option}`
    for (const file of this.#jailFiles()) {
      const line = this.#line(file, jail, option) ?? this.#line(file, 'DEFAULT', option)
      if (line !== undefined) return { file, line, option: named }
    }
    return { file: this.#folder, option: named }
  }

  /** Where an option of the filter of a jail stands: in the jail, else in the file of the filter. */
  ofFilter(jail: string, filter: string, option: string): Where {
    for (const file of this.#jailFiles()) {
      const line = this.#line(file, jail, option)
      if (line !== undefined) return { file, line, option: `[${jail}] ${option}` }
    }
    const files = ['local', 'conf'].map((ending) => join(this.#folder, 'filter.d', `${filter}.${ending}`))
    const named = `[Definition] ${option}`
    for (const file of files) {
      const line = this.#line(file, 'Definition', option)
      if (line !== undefined) return { file, line, option: named }
    }
    return { file: files.find((file) => this.#places(file).size > 0) ?? this.#folder, option: named }
  }

  /** Where an option of the server stands. */
  ofServer(option: string): Where {
    const named = `[Definition] ${option}`
    for (const file of this.#filesOf('fail2ban')) {
      const line = this.#line(file, 'Definition', option) ?? this.#line(file, 'DEFAULT', option)
      if (line !== undefined) return { file, line, option: named }
    }
    return { file: this.#folder, option: named }
  }

  /** Those that override others first. */
  #jailFiles(): string[] {
    return this.#filesOf('jail')
  }

  #filesOf(name: 'jail' | 'fail2ban'): string[] {
    const folder = this.#folder
    const below = (ending: string) =>
      namesIn(join(folder, `${name}.d`))
        .filter((file) => file.endsWith(ending))
        .toSorted()
        .map((file) => join(folder, `${name}.d`, file))
    return [
      join(folder, `${name}.conf`),
      ...below('.conf'),
      join(folder, `${name}.local`),
      ...below('.local'),
    ].toReversed()
  }

  #line(file: string, section: string, option: string): number | undefined {
    return this.#places(file).get(`${section} ${option}`)
  }

  #places(file: string): Places {
    const known = this.#files.get(file) ?? placesIn(textOf(file))
    this.#files.set(file, known)
    return known
  }
}

function placesIn(text: string): Places {
  const places = new Map<string, number>()
  let section = ''
  for (const [index, line] of text.split('\n').entries()) {
    section = /^\[([^\]]+)\]/.exec(line)?.[1] ?? section
    const [, option] = /^([^\s=:#;[][^=:]*?)\s*[=:]/.exec(line) ?? []
    if (option !== undefined) places.set(`${section} ${option.toLowerCase()}`, index + 1)
  }
  return places
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
