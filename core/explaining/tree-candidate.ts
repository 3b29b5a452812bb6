import type { TreeParts } from '../fail2ban-settings.ts'
import { FailureGate } from '../fail2ban/counting/failure-gate.ts'
import { candidateSearch } from '../fail2ban/lines/candidate-lines.ts'
import { JailFilter } from '../fail2ban/lines/jail-filter.ts'
import { capturedText, searchGroups } from '../fail2ban/lines/captured-groups.ts'
import type { FilterTexts } from '../fail2ban/lines/filter-texts.ts'
import { lineDecoder } from '../fail2ban/lines/line-decoding.ts'
import { OptionPlaces } from '../fail2ban/running/option-place.ts'
import { textsOfKind } from '../fail2ban/tree/texts-of-kind.ts'
import { compileFailregex } from '../fail2ban/regex/failregex.ts'
import { placeOf, withoutPatterns } from '../jails.ts'
import type { JailSettings } from '../settings/jail.ts'
import { filesOf, type Candidate } from './candidate.ts'

/** What a candidate has that is a jail of a Fail2ban tree: its filter, with what it remembers of lines before. */
export interface TreeCandidate {
  readonly texts: FilterTexts
  readonly filter: JailFilter
  readonly decode: (line: Buffer) => string
  /** Finds one of the words that every failure has; null: nothing is known of such words. */
  readonly words: RegExp | null
  /** What the prefregex leaves of a text without date; null: it does not match, or there is none. */
  readonly contentOf: (text: string) => string | null
  /** Where an option of the filter stands (`file:line`). */
  readonly placeOf: (option: 'prefregex' | 'failregex' | 'ignoreregex') => string
  /** By what the jail ignores an id, in Fail2ban's words; null: by nothing. Its `ignorecommand` is not asked. */
  readonly ignoring: (id: string) => Promise<string | null>
  /** The command that would be asked besides; empty: there is none. */
  readonly ignorecommand: string
}

/** A jail of a Fail2ban tree for lines of files. Null: it reads none. Throws a BailiffError where its filter does not compile. */
export function treeCandidate(jail: JailSettings, { tree, folder, gate }: TreeParts): Candidate | null {
  const texts = textsOfKind(folder, tree, false)
  if (texts === null) return null
  const { usedns } = texts
  const places = new OptionPlaces(folder)
  const prefregex =
    texts.prefregex === null ? null : compileFailregex(texts.prefregex, { usedns, multiline: false, kind: 'prefregex' })
  const failregex = texts.failregex.map((text, index) =>
    compileFailregex(text, { usedns, multiline: texts.maxlines > 1, kind: 'failregex', index, prefregex }),
  )
  const content = (text: string) => {
    const match = prefregex === null ? null : searchGroups(prefregex, `${text}\n`, undefined)
    return match && (capturedText(match.captured, 'content') ?? text)
  }
  return {
    jail: jail.name,
    state: 'on',
    filter: { ...withoutPatterns, name: jail.filter.name },
    dates: undefined,
    settings: jail.filter,
    definition: jail.filterDefinition,
    place: placeOf(places.ofJail(jail.name, 'enabled')),
    files: filesOf(jail),
    proxies: [],
    tree: {
      texts,
      filter: new JailFilter(texts, { pending: true, harmless: true }),
      decode: lineDecoder(texts.encoding),
      words: candidateSearch(failregex, prefregex),
      contentOf: content,
      placeOf: (option) => placeOf(places.ofFilter(jail.name, jail.filter.name, option)),
      ignoring: askGate({ ...gate, ignorecommand: '' }),
      ignorecommand: gate.ignorecommand,
    },
  }
}

/** Each question has a gate of its own, which ends with it: nothing is left that follows names. */
function askGate(rules: TreeParts['gate']): TreeCandidate['ignoring'] {
  return async (id) => {
    const gate = new FailureGate({ count: () => {}, onIgnored: () => {}, warn: () => {} })
    try {
      await gate.configure([rules])
      return await gate.ignoring(rules.name, id)
    } finally {
      gate.stop()
    }
  }
}
