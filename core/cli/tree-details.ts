import type { TreeParts } from '../fail2ban-settings.ts'
import { compileFailregex } from '../fail2ban/regex/failregex.ts'
import { OptionPlaces } from '../fail2ban/running/option-place.ts'
import { placeOf, type ReadyJail } from '../jails.ts'
import type { JailDetails, PatternDetails } from './jail-details.ts'

/** What `jailDetails` says otherwise of a jail of a Fail2ban tree. */
export function treeDetails(
  { name, filter }: ReadyJail,
  { texts, tree, folder, counting, actionLines }: TreeParts,
): Pick<JailDetails, 'filter' | 'dates' | 'patterns'> & { readonly counting: string; readonly insteadOf: string[] } {
  const { datepattern = null, timezone = null, journal = false } = texts ?? {}
  const zone = timezone === null ? '' : `; those without a zone are of ${timezone}`
  const dates = journal ? 'those of the journal' : (datepattern?.join(' or ') ?? 'the usual list of Fail2ban')
  const grows = counting.lengthen === null ? '' : ', longer for who comes again'
  return {
    filter: {
      name: filter.name,
      mode: tree.filter?.options.mode ?? 'normal',
      place: placeOf(new OptionPlaces(folder).ofFilter(name, filter.name, 'failregex')),
    },
    dates: texts === null ? null : `${dates}${zone}`,
    counting: `, by the rate as Fail2ban counts${grows}`,
    insteadOf: [...actionLines],
    patterns: texts === null ? [] : patternsOf(name, texts, folder),
  }
}

function patternsOf(jail: string, texts: NonNullable<TreeParts['texts']>, folder: string): PatternDetails[] {
  const places = new OptionPlaces(folder)
  const { usedns, maxlines } = texts
  const compile = (kind: PatternDetails['list'], text: string, index: number) =>
    compileFailregex(text, { usedns, multiline: maxlines > 1, kind, index, prefregex })
  const details = (list: PatternDetails['list'], patterns: readonly string[]) =>
    patterns.map((text, index): PatternDetails => {
      const { backtracking, literals } = compile(list, text, index)
      const place = placeOf(places.ofFilter(jail, texts.name, list))
      const anchored = /^(?:\(\?[a-z]+\))*(?:\^|\\A)/.test(text)
      return { list, index, place, text, linear: backtracking === null, backtracking, literals, anchored }
    })
  const prefregex =
    texts.prefregex === null ? null : compileFailregex(texts.prefregex, { usedns, multiline: false, kind: 'prefregex' })
  return [
    ...details('prefregex', texts.prefregex === null ? [] : [texts.prefregex]),
    ...details('failregex', texts.failregex),
    ...details('ignoreregex', texts.ignoreregex),
  ]
}
