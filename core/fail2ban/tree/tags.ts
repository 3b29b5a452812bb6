import { quote, type BailiffError, type Where } from '../../errors.ts'
import { optionText, type OptionValue } from './configuration.ts'
import { longestText } from './interpolation.ts'
import { treeProblem } from './problem.ts'

/** Uses of one tag within one option beyond the first that Fail2ban allows. */
const mostUses = 25

/** How tags are put in. */
export interface TagSubstitution {
  /** Tags that stay as they are, and options whose value does. */
  readonly ignore: ReadonlySet<string>
  /** The value of a tag that is no option here; null: there is none, the tag stays. */
  readonly otherwise: (tag: string) => string | null
  /** Where an option stands, for errors. */
  readonly whereIs: (option: string) => Where | undefined
}

/**
 * The options with the values of others put in for `<option>`, again and again until nothing changes, so that a tag may
 * be made of others: `<known/<which>>`. Tags of which nothing is known stay (`<HOST>`). Throws a BailiffError for an
 * option that uses itself, one that uses another again and again, and one that grows past a million characters.
 */
export function substituteTags<Value extends OptionValue>(
  options: ReadonlyMap<string, Value>,
  substitution: TagSubstitution,
): Map<string, Value | string> {
  const result = new Map<string, Value | string>(options)
  const done = new Set<string>()
  const uses = new Map<string, Map<string, number>>()
  for (let again = true; again;) {
    again = false
    for (const name of options.keys()) {
      if (substitution.ignore.has(name) || done.has(name)) continue
      const before = optionText(result.get(name) ?? null) ?? 'None'
      const counts = new Map(uses.get(name))
      const after = substituteIn(before, name, { options: result, counts, ...substitution })
      if (after !== before) {
        result.set(name, after)
        uses.set(name, counts)
        again ||= anyTag.test(after)
      }
      if (!after.includes('<')) done.add(name)
    }
  }
  return result
}

const anyTag = /<([^ <>]+)>/

interface Pass extends TagSubstitution {
  readonly options: ReadonlyMap<string, OptionValue>
  /** Uses of each tag in this option so far; counted up. */
  readonly counts: Map<string, number>
}

/** One way through the value of an option, from left to right; what was put in is looked at, too. */
function substituteIn(text: string, option: string, { options, counts, ignore, otherwise, whereIs }: Pass): string {
  const search = /<([^ <>]+)>/g
  for (let found = search.exec(text); found !== null; found = search.exec(text)) {
    const tag = found[1] ?? ''
    if (ignore.has(tag)) continue
    const count = counts.get(tag) ?? 0
    if (tag === option || count > mostUses) throw circleProblem(option, tag, whereIs(option))
    const value = options.get(tag) ?? null
    const replacement = value === null ? otherwise(tag) : optionText(value)
    if (replacement === null) continue
    const parts = text.split(`<${tag}>`)
    if (text.length + (parts.length - 1) * replacement.length > longestText)
      throw treeProblem(
        `the option ${quote(option)} grows past a million characters by ${quote(`<${tag}>`)}`,
        whereIs(option),
      )
    text = parts.join(replacement)
    counts.set(tag, count + 1)
    search.lastIndex = found.index
  }
  return text
}

function circleProblem(option: string, tag: string, where: Where | undefined): BailiffError {
  const how = tag === option ? 'uses itself' : `uses ${quote(`<${tag}>`)} more than ${mostUses + 1} times`
  return treeProblem(`the option ${quote(option)} ${how}`, where, 'do options use each other in a circle?')
}
